/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/judge_probes.h"

#include "base/error.h"
#include "base/parallel.h"
#include "judge/insn.h"
#include "resolve/probe_name.h"
#include "resolve/return_safety.h"

enum {
	ELF_HEADER_SIZE = 64,
	ENDBR_LENGTH = 4,
	LONGEST_SWEEP =
		65536 - UPM_INSN_MAX, /* bytes of a function that are decoded for a boundary */
	NO_FILE = -1,
	SMALLEST_SHARE = 8192, /* probes that are worth a thread */
	MOST_SHARES = 4
};

/* A reason that a probe is given when all are judged: threads do not write to the table. */
struct finding {
	size_t probe;
	const char *reason;
};

struct findings {
	UPM_VECTOR(struct finding) list;
	int status;
};

struct judge {
	const struct upm_probe_table *table;
	struct findings *findings;
	int64_t file; /* the one that is open, or NO_FILE */
	const struct upm_binary *binary;
	const struct upm_segment *segment;     /* of the probe at hand */
	const struct upm_probe_detail *detail; /* of the probe at hand */
	struct upm_code_window window;
	struct upm_insn_rules rules;
	bool runs_here; /* the kernel runs code of this architecture */
};

static void condemn(struct judge *judge, struct upm_probe_entry *probe, uint8_t verdict,
		    const char *reason)
{
	size_t index = (size_t)(probe - judge->table->probes.items);

	probe->verdict = verdict;
	if (!upm_vector_push(&judge->findings->list, ((struct finding){index, reason})))
		judge->findings->status = upm_fail_memory("judge probes");
}

static void close_file(struct judge *judge)
{
	if (judge->file != NO_FILE)
		upm_code_window_close(&judge->window);
	judge->file = NO_FILE;
}

static int open_file(struct judge *judge, uint32_t file)
{
	int status;

	if (judge->file == file)
		return UPM_OK;
	close_file(judge);
	judge->binary = judge->table->files.items[file].binary;
	judge->segment = NULL;
	judge->runs_here = upm_insn_rules_of_kernel(judge->binary->machine, judge->binary->bits,
						    &judge->rules);
	status = upm_code_window_open(&judge->window, judge->binary);
	if (!status)
		judge->file = file;
	return status;
}

/* Decode from the function's entry: a breakpoint inside an instruction would change what it does.
 */
static void check_boundary(struct judge *judge, struct upm_probe_entry *probe)
{
	uint32_t wanted = judge->detail->symbol_offset;
	size_t available, at = 0, length = 1;
	struct upm_probe_names names;
	const uint8_t *code;

	upm_probe_names(judge->table, probe, &names);
	if (names.symbol.size && wanted >= names.symbol.size) {
		condemn(judge, probe, UPM_VERDICT_NO_MATCH, "the function ends before this offset");
		return;
	}
	if (wanted > LONGEST_SWEEP || wanted > probe->offset) {
		probe->flags |= UPM_PROBE_UNVERIFIED;
		return;
	}
	code = upm_code_window_at(&judge->window, probe->offset - wanted, wanted + UPM_INSN_MAX,
				  &available);
	while (at < wanted && length) {
		length = at < available ? upm_insn_length(&judge->rules, code + at, available - at)
					: 0;
		at += length;
	}
	if (!length)
		probe->flags |= UPM_PROBE_UNVERIFIED;
	else if (at > wanted)
		condemn(judge, probe, UPM_VERDICT_MID_INSTRUCTION,
			"it is in the middle of an instruction: a breakpoint there would corrupt "
			"the program");
}

/* endbr64 is where indirect calls land: right behind it is the entry still. */
static bool is_behind_endbr(struct judge *judge, const struct upm_probe_entry *probe)
{
	struct upm_insn insn;
	size_t available;
	const uint8_t *code;

	if (judge->detail->symbol_offset != ENDBR_LENGTH || probe->offset < ENDBR_LENGTH)
		return false;
	code = upm_code_window_at(&judge->window, probe->offset - ENDBR_LENGTH, UPM_INSN_MAX,
				  &available);
	upm_insn_judge(&judge->rules, code, available, 0, &insn);
	return insn.endbr;
}

static bool is_entry(struct judge *judge, const struct upm_probe_entry *probe)
{
	return judge->detail->symbol_offset == 0 || is_behind_endbr(judge, probe);
}

static void judge_return(struct judge *judge, struct upm_probe_entry *probe)
{
	uint8_t verdict = UPM_VERDICT_OK;
	const char *hazard;

	if (judge->detail->symbol_offset && !is_behind_endbr(judge, probe))
		probe->flags |= UPM_PROBE_RETURN_UNSAFE;
	if (probe->kind != UPM_KIND_URETPROBE)
		return;
	hazard = upm_return_hazard(judge->table, probe, upm_probe_symbol(judge->table, probe),
				   &verdict);
	if (hazard)
		condemn(judge, probe, verdict, hazard);
}

static void judge_code(struct judge *judge, struct upm_probe_entry *probe)
{
	struct upm_insn insn;
	size_t available;
	const uint8_t *code =
		upm_code_window_at(&judge->window, probe->offset, UPM_INSN_MAX, &available);

	if (!available) {
		condemn(judge, probe, UPM_VERDICT_TRUNCATED, "the file ends before this offset");
		return;
	}
	upm_insn_judge(&judge->rules, code, available,
		       judge->segment->address + (probe->offset - judge->segment->offset), &insn);
	probe->cost = insn.probeable ? insn.cost : UPM_COST_UNKNOWN;
	if (insn.repeats)
		probe->flags |= UPM_PROBE_REPEATS;
	if (judge->detail->site && !insn.nop)
		condemn(judge, probe, UPM_VERDICT_UNREADABLE,
			"its note points at no nop: it is damaged, or of another file");
	else if (!insn.probeable)
		condemn(judge, probe, UPM_VERDICT_UNPROBEABLE, insn.reason);
	else if (insn.cost == UPM_COST_NOP5 && !judge->rules.nop5_red_zone_safe &&
		 (probe->kind == UPM_KIND_USDT || (probe->flags & UPM_PROBE_UNVERIFIED) ||
		  !is_entry(judge, probe)))
		condemn(judge, probe, UPM_VERDICT_RED_ZONE,
			"a 5-byte nop inside a function: this kernel turns a probe there into a "
			"call, "
			"which may overwrite the red zone");
}

/*
 * Newer <sys/sdt.h> writes "nop, nop5" or "nop, nop10": the note names the first nop, and a kernel
 * that turns the second into a call without touching the red zone is served better there.
 */
static void prefer_optimised_nop(struct judge *judge, struct upm_probe_entry *probe)
{
	struct upm_insn insn;
	size_t available;
	const uint8_t *code;

	if (!judge->rules.nop5_red_zone_safe || probe->cost != UPM_COST_EMULATED)
		return;
	code = upm_code_window_at(&judge->window, probe->offset, UPM_INSN_MAX + 1, &available);
	if (available < 2 || upm_insn_length(&judge->rules, code, available) != 1)
		return;
	upm_insn_judge(&judge->rules, code + 1, available - 1,
		       judge->segment->address + (probe->offset + 1 - judge->segment->offset),
		       &insn);
	if (!insn.probeable || insn.cost != UPM_COST_NOP5)
		return;
	probe->offset++;
	probe->cost = UPM_COST_NOP5;
}

static void judge_semaphore(struct judge *judge, struct upm_probe_entry *probe)
{
	uint64_t offset = judge->detail->ref_ctr_offset;

	if (!offset)
		return;
	if (offset % 2)
		condemn(judge, probe, UPM_VERDICT_SEMAPHORE,
			"its reference counter is at an odd offset, which the kernel refuses");
	else if (!upm_binary_writable_at(judge->binary, offset))
		condemn(judge, probe, UPM_VERDICT_SEMAPHORE,
			"its reference counter is in no writable segment of the file");
}

/* Probes come in order: the segment of the last one is most often that of the next. */
static bool find_segment(struct judge *judge, uint64_t offset)
{
	const struct upm_segment *last = judge->segment;

	if (!last || offset - last->offset >= last->file_size)
		judge->segment = upm_binary_executable_at(judge->binary, offset);
	return judge->segment;
}

static void judge_place(struct judge *judge, struct upm_probe_entry *probe)
{
	if (!judge->runs_here)
		condemn(judge, probe, UPM_VERDICT_FOREIGN,
			"the file's code is of an architecture that this kernel does not run");
	else if (probe->offset >= judge->binary->file_size)
		condemn(judge, probe, UPM_VERDICT_TRUNCATED, "the file ends before this offset");
	else if (probe->offset < ELF_HEADER_SIZE || !find_segment(judge, probe->offset))
		condemn(judge, probe, UPM_VERDICT_NOT_EXECUTABLE,
			"the offset is in no executable segment of the file");
}

static void judge_probe(struct judge *judge, struct upm_probe_entry *probe)
{
	judge->detail = upm_probe_detail(judge->table, probe);
	judge_place(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK && judge->detail->symbol_offset)
		check_boundary(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK)
		judge_code(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK && judge->detail->site)
		prefer_optimised_nop(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK)
		judge_semaphore(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK && probe->kind != UPM_KIND_USDT)
		judge_return(judge, probe);
}

static int judge_range(const struct upm_probe_table *table, uint8_t accepted, size_t first,
		       size_t end, struct findings *findings)
{
	struct judge judge = {.table = table, .findings = findings, .file = NO_FILE};
	int status = UPM_OK;

	for (size_t i = first; i < end && !status; i++) {
		struct upm_probe_entry *probe = &table->probes.items[i];

		probe->flags |= accepted;
		if (probe->verdict != UPM_VERDICT_OK || !upm_probe_binary(table, probe) ||
		    table->origins.items[probe->origin].judged)
			continue;
		status = open_file(&judge, upm_probe_file(table, probe));
		if (!status)
			judge_probe(&judge, probe);
	}
	close_file(&judge);
	return status ? status : findings->status;
}

struct share {
	const struct upm_probe_table *table;
	uint8_t accepted; /* flags that all of them get */
	size_t first;
	size_t probes; /* of each share but the last */
	struct findings findings[MOST_SHARES];
};

static void judge_share(void *context, size_t index)
{
	struct share *share = context;
	size_t first = share->first + index * share->probes;
	size_t rest = share->table->probes.count - first;

	share->findings[index].status = judge_range(
		share->table, share->accepted, first,
		first + (rest < share->probes ? rest : share->probes), &share->findings[index]);
}

static int take_findings(struct upm_probe_table *table, struct findings *findings)
{
	int status = findings->status ? upm_fail_memory("judge probes") : UPM_OK;

	for (size_t i = 0; i < findings->list.count && !status; i++) {
		struct upm_probe_entry *probe = &table->probes.items[findings->list.items[i].probe];

		status = upm_probe_condemn(table, probe, probe->verdict,
					   findings->list.items[i].reason);
	}
	upm_vector_clear(&findings->list);
	return status;
}

static bool all_judged(const struct upm_probe_table *table)
{
	for (size_t i = 0; i < table->origins.count; i++)
		if (!table->origins.items[i].judged)
			return false;
	return true;
}

int upm_judge_probes(struct upm_probe_table *table, size_t first, uint32_t flags)
{
	size_t probes = table->probes.count - first,
	       shares = upm_parallel_shares(probes, SMALLEST_SHARE, MOST_SHARES);
	struct share share = {
		.table = table,
		.accepted = flags & UPM_RESOLVE_ACCEPT_UNWINDING ? UPM_PROBE_UNWINDS : 0,
		.first = first,
		.probes = (probes + shares - 1) / shares,
	};
	int status = UPM_OK;

	if (all_judged(table))
		return UPM_OK;
	upm_parallel(shares, shares, judge_share, &share);
	for (size_t i = 0; i < shares; i++) {
		int taken = take_findings(table, &share.findings[i]);

		status = status ? status : taken;
	}
	return status;
}
