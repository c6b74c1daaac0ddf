/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/error.h"
#include "base/options.h"
#include "trace/trace.h"

static const char operation[] = "describe an argument of events";

int32_t upm_trace_argument(const struct upm_observer *observer, size_t probe, uint32_t argument,
			   struct upm_event_argument *out)
{
	const struct upm_signature *signature;
	const struct upm_parameter *parameter;
	const struct upm_trace *state;
	struct upm_event_argument ours;
	int status = upm_observer_require(observer, &upm_trace_type, operation);

	if (status)
		return status;
	state = observer->state;
	if (probe >= state->lists.probe_count)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL,
				"there is no probe %zu: the set has %zu", probe,
				state->lists.probe_count);
	signature = upm_trace_lists_signature(&state->lists, probe);
	if (argument != UPM_TRACE_RESULT && argument >= signature->count)
		return upm_fail(UPM_ERR_INVALID, 0, operation, NULL, NULL,
				"there is no argument %u: the events of this probe have %u",
				argument, signature->count);
	parameter = argument == UPM_TRACE_RESULT ? &signature->result
						 : &signature->parameters[argument];
	ours = (struct upm_event_argument){
		.name = parameter->name,
		.type = parameter->type,
		.form = parameter->form,
		.width = parameter->width,
	};
	return upm_options_write(out, &ours, sizeof(ours), "struct upm_event_argument");
}
