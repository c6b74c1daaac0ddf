/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Functions whose instructions matter, x86-64. Their names say how they begin;
 * breakpoint_first and rep_first are there to be judged, not called.
 */
	.macro function name
	.globl	\name
	.type	\name, @function
	.p2align 4, 0xcc
\name:
	.endm

	.macro end name
	ret
	.size	\name, . - \name
	.endm

	.text
	function lock_first
	lock incl shape_counter(%rip)
	end lock_first

	function endbr_push
	endbr64
	push	%rbp
	pop	%rbp
	end endbr_push

	function endbr_lea
	endbr64
	lea	8(%rdi), %rax
	end endbr_lea

	function push_first
	push	%rbp
	pop	%rbp
	end push_first

	function push_r12_first
	push	%r12
	pop	%r12
	end push_r12_first

	function lea_first
	lea	8(%rdi), %rax
	end lea_first

	function mov_first
	mov	%rsp, %rax
	end mov_first

	function sub_first
	sub	$8, %rsp
	add	$8, %rsp
	end sub_first

	function nop_first
	nop
	end nop_first

	function nop5_first
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
	end nop5_first

	function nop5_inside
	mov	%rsp, %rax
	.globl	nop5_inside_site
nop5_inside_site:
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
	end nop5_inside

	function call_first
	call	nop_first
	end call_first

	function jump_first
	jmp	1f
1:
	end jump_first

	function rep_first
	rep stosb
	end rep_first

	function ret_first
	end ret_first

	function segment_first
	.byte	0x2e
	mov	(%rsp), %rax
	end segment_first

	function breakpoint_first
	int3
	end breakpoint_first

	/* Labels of size 0: one of no type, one of type function. */
	.globl	zero_size_marker
zero_size_marker:
	.globl	zero_size_function
	.type	zero_size_function, @function
	.size	zero_size_function, 0
zero_size_function:
	nop
	ret

	.data
	.globl	shape_counter
	.type	shape_counter, @object
	.size	shape_counter, 4
shape_counter:
	.long	0

	.section .note.GNU-stack, "", @progbits
