# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# awk -v functions=50000 -f many.awk > many.s
#
# Assembly of a library of many functions, many_000000 …, that begin as compiled
# functions do, and differ in length. For benchmarks: nothing calls them.
BEGIN {
	first[0] = "endbr64\n\tpush %rbp"
	first[1] = "push %rbp"
	first[2] = "sub $8, %rsp"
	first[3] = "mov %rdi, %rax"
	first[4] = "push %r15"
	first[5] = "lea 1(%rdi), %eax"
	first[6] = "endbr64\n\tsub $24, %rsp"
	first[7] = "xor %eax, %eax"
	first[8] = "push %rbx"
	first[9] = "test %rdi, %rdi"
	print "\t.text"
	for (i = 0; i < functions; i++) {
		name = sprintf("many_%06d", i)
		printf "\t.globl %s\n\t.type %s, @function\n\t.p2align 4\n%s:\n\t%s\n", name, name, name, first[i % 10]
		for (filler = 0; filler < i * 7 % 23; filler++)
			print "\tmov %rsp, %rax"
		printf "\tret\n\t.size %s, . - %s\n", name, name
	}
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
