/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "resolve/judge_probes.h"

#include <unistd.h>

#include "base/error.h"
#include "base/parallel.h"
#include "judge/insn.h"
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

struct judge {
	struct upm_probe_table *table;
	int64_t file; /* the one that is open, or NO_FILE */
	const struct upm_binary *binary;
	const struct upm_segment *segment; /* of the probe at hand */
	struct upm_code_window window;
	struct upm_insn_rules rules;
	bool runs_here; /* the kernel runs code of this architecture */
};

static void condemn(struct upm_probe_entry *probe, uint8_t verdict, const char *reason)
{
	probe->verdict = verdict;
	probe->reason = reason;
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
	uint64_t entry = probe->offset - probe->symbol_offset;
	size_t available, at = 0, length = 1;
	const uint8_t *code;

	if (probe->symbol_size && probe->symbol_offset >= probe->symbol_size) {
		condemn(probe, UPM_VERDICT_NO_MATCH, "the function ends before this offset");
		return;
	}
	if (probe->symbol_offset > LONGEST_SWEEP || probe->symbol_offset > probe->offset) {
		probe->flags |= UPM_PROBE_UNVERIFIED;
		return;
	}
	code = upm_code_window_at(&judge->window, entry, probe->symbol_offset + UPM_INSN_MAX,
				  &available);
	while (at < probe->symbol_offset && length) {
		length = at < available ? upm_insn_length(&judge->rules, code + at, available - at)
					: 0;
		at += length;
	}
	if (!length)
		probe->flags |= UPM_PROBE_UNVERIFIED;
	else if (at > probe->symbol_offset)
		condemn(probe, UPM_VERDICT_MID_INSTRUCTION,
			"it is in the middle of an instruction: a breakpoint there would corrupt "
			"the "
			"program");
}

/* endbr64 is where indirect calls land: right behind it is the entry still. */
static bool is_behind_endbr(struct judge *judge, const struct upm_probe_entry *probe)
{
	struct upm_insn insn;
	size_t available;
	const uint8_t *code;

	if (probe->symbol_offset != ENDBR_LENGTH || probe->offset < ENDBR_LENGTH)
		return false;
	code = upm_code_window_at(&judge->window, probe->offset - ENDBR_LENGTH, UPM_INSN_MAX,
				  &available);
	upm_insn_judge(&judge->rules, code, available, 0, &insn);
	return insn.endbr;
}

static bool is_entry(struct judge *judge, const struct upm_probe_entry *probe)
{
	return probe->symbol_offset == 0 || is_behind_endbr(judge, probe);
}

static void judge_return(struct judge *judge, struct upm_probe_entry *probe)
{
	uint8_t verdict = UPM_VERDICT_OK;
	const char *hazard;

	if (probe->symbol_offset && !is_behind_endbr(judge, probe))
		probe->flags |= UPM_PROBE_RETURN_UNSAFE;
	if (probe->kind != UPM_KIND_URETPROBE)
		return;
	hazard = upm_return_hazard(judge->table, probe, &verdict);
	if (hazard)
		condemn(probe, verdict, hazard);
}

static void judge_code(struct judge *judge, struct upm_probe_entry *probe)
{
	struct upm_insn insn;
	size_t available;
	const uint8_t *code =
		upm_code_window_at(&judge->window, probe->offset, UPM_INSN_MAX, &available);

	if (!available) {
		condemn(probe, UPM_VERDICT_TRUNCATED, "the file ends before this offset");
		return;
	}
	upm_insn_judge(&judge->rules, code, available,
		       judge->segment->address + (probe->offset - judge->segment->offset), &insn);
	probe->cost = insn.probeable ? insn.cost : UPM_COST_UNKNOWN;
	if (insn.repeats)
		probe->flags |= UPM_PROBE_REPEATS;
	if (probe->site && !insn.nop)
		condemn(probe, UPM_VERDICT_UNREADABLE,
			"its note points at no nop: it is damaged, or of another file");
	else if (!insn.probeable)
		condemn(probe, UPM_VERDICT_UNPROBEABLE, insn.reason);
	else if (insn.cost == UPM_COST_NOP5 && !judge->rules.nop5_red_zone_safe &&
		 (probe->kind == UPM_KIND_USDT || (probe->flags & UPM_PROBE_UNVERIFIED) ||
		  !is_entry(judge, probe)))
		condemn(probe, UPM_VERDICT_RED_ZONE,
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
	if (!probe->ref_ctr_offset)
		return;
	if (probe->ref_ctr_offset % 2)
		condemn(probe, UPM_VERDICT_SEMAPHORE,
			"its reference counter is at an odd offset, which the kernel refuses");
	else if (!upm_binary_writable_at(judge->binary, probe->ref_ctr_offset))
		condemn(probe, UPM_VERDICT_SEMAPHORE,
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
		condemn(probe, UPM_VERDICT_FOREIGN,
			"the file's code is of an architecture that this kernel does not run");
	else if (probe->offset >= judge->binary->file_size)
		condemn(probe, UPM_VERDICT_TRUNCATED, "the file ends before this offset");
	else if (probe->offset < ELF_HEADER_SIZE || !find_segment(judge, probe->offset))
		condemn(probe, UPM_VERDICT_NOT_EXECUTABLE,
			"the offset is in no executable segment of the file");
}

/* What a user should know of a probe although it is good. */
static const char *remark_on(const struct upm_probe_entry *probe)
{
	if (probe->flags & UPM_PROBE_REPEATS)
		return "it begins with a repeated string instruction: a hit at each repetition, "
		       "not "
		       "one a call";
	if (probe->flags & UPM_PROBE_UNVERIFIED)
		return "no symbol covers it: that an instruction begins there is not verified";
	return "";
}

static void judge_probe(struct judge *judge, struct upm_probe_entry *probe)
{
	judge_place(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK && probe->symbol_offset)
		check_boundary(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK)
		judge_code(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK && probe->site)
		prefer_optimised_nop(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK)
		judge_semaphore(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK && probe->kind != UPM_KIND_USDT)
		judge_return(judge, probe);
	if (probe->verdict == UPM_VERDICT_OK && !probe->reason[0])
		probe->reason = remark_on(probe);
}

static int judge_range(struct upm_probe_table *table, size_t first, size_t end)
{
	struct judge judge = {.table = table, .file = NO_FILE};
	int status = UPM_OK;

	for (size_t i = first; i < end && !status; i++) {
		struct upm_probe_entry *probe = &table->probes.items[i];

		if (probe->verdict != UPM_VERDICT_OK || !table->files.items[probe->file].binary)
			continue;
		status = open_file(&judge, probe->file);
		if (!status)
			judge_probe(&judge, probe);
	}
	close_file(&judge);
	return status;
}

struct share {
	struct upm_probe_table *table;
	size_t first;
	size_t probes; /* of each share but the last */
	int statuses[MOST_SHARES];
};

static void judge_share(void *context, size_t index)
{
	struct share *share = context;
	size_t first = share->first + index * share->probes;
	size_t rest = share->table->probes.count - first;

	share->statuses[index] = judge_range(share->table, first,
					     first + (rest < share->probes ? rest : share->probes));
}

static size_t count_shares(size_t probes)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t shares = probes / SMALLEST_SHARE;

	if (shares > MOST_SHARES)
		shares = MOST_SHARES;
	if (processors > 0 && shares > (size_t)processors)
		shares = (size_t)processors;
	return shares ? shares : 1;
}

int upm_judge_probes(struct upm_probe_table *table, size_t first)
{
	size_t probes = table->probes.count - first, shares = count_shares(probes);
	struct share share = {
		.table = table, .first = first, .probes = (probes + shares - 1) / shares};

	if (shares == 1)
		return judge_range(table, first, table->probes.count);
	upm_parallel(shares, shares, judge_share, &share);
	for (size_t i = 0; i < shares; i++)
		if (share.statuses[i])
			return upm_fail_memory("judge probes");
	return UPM_OK;
}
