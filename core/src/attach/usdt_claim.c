/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "attach/usdt_claim.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "usdt/libbpf_spec.h"

static const char operation[] = "fill in the maps of a USDT program";

static pthread_mutex_t claiming = PTHREAD_MUTEX_INITIALIZER;

static int fail_element(const char *map, uint32_t id)
{
	return upm_fail(upm_status_of_errno(errno), errno, operation, map, NULL,
			"can not use element %u", id);
}

/* Write a spec to the element, if that is free. @return UPM_OK, also if it is not */
static int try_element(struct upm_usdt_claim *claim, uint32_t id, void *spec)
{
	const struct upm_usdt_maps *maps = &claim->maps;
	uint8_t found[UPM_LIBBPF_SPEC_MAX];

	if (bpf_map_lookup_elem(maps->specs_fd, &id, found))
		return fail_element("__bpf_usdt_specs", id);
	if (!upm_libbpf_spec_free(found, maps->spec_size))
		return UPM_OK;
	upm_libbpf_spec_take(spec, maps->spec_size);
	if (bpf_map_update_elem(maps->specs_fd, &id, spec, BPF_ANY))
		return fail_element("__bpf_usdt_specs", id);
	claim->ids.items[claim->ids.count++] = id;
	return UPM_OK;
}

int upm_usdt_claim_specs(struct upm_usdt_claim *claim, const struct upm_intern *specs)
{
	int status = UPM_OK;

	if (!upm_vector_reserve(&claim->ids, specs->count))
		return upm_fail_memory(operation);
	pthread_mutex_lock(&claiming);
	for (uint32_t id = claim->maps.spec_count;
	     id-- > 0 && claim->ids.count < specs->count && !status;)
		status = try_element(claim, id, upm_intern_item(specs, claim->ids.count));
	pthread_mutex_unlock(&claiming);
	return status;
}

/* Whether the address has this spec already: processes can map a file at one address. */
static bool has_spec(const struct upm_usdt_claim *claim, uint64_t address, uint32_t id)
{
	uint32_t found;

	return bpf_map_lookup_elem(claim->maps.ips_fd, &address, &found) == 0 && found == id;
}

int upm_usdt_claim_address(struct upm_usdt_claim *claim, uint64_t address, uint32_t id)
{
	if (!upm_vector_reserve(&claim->addresses, 1))
		return ENOMEM;
	if (bpf_map_update_elem(claim->maps.ips_fd, &address, &id, BPF_NOEXIST)) {
		int failure = errno;

		return failure == EEXIST && has_spec(claim, address, id) ? 0 : failure;
	}
	claim->addresses.items[claim->addresses.count++] = address;
	return 0;
}

static void leave(const struct upm_usdt_claim *claim, uint32_t id)
{
	uint8_t spec[UPM_LIBBPF_SPEC_MAX];

	if (bpf_map_lookup_elem(claim->maps.specs_fd, &id, spec))
		return;
	upm_libbpf_spec_leave(spec, claim->maps.spec_size);
	bpf_map_update_elem(claim->maps.specs_fd, &id, spec, BPF_ANY);
}

void upm_usdt_claim_end(struct upm_usdt_claim *claim)
{
	if (!claim)
		return;
	if (claim->owner == getpid()) {
		for (size_t i = 0; i < claim->addresses.count; i++)
			bpf_map_delete_elem(claim->maps.ips_fd, &claim->addresses.items[i]);
		for (size_t i = 0; i < claim->ids.count; i++)
			leave(claim, claim->ids.items[i]);
	}
	upm_usdt_claim_keep(claim);
}

void upm_usdt_claim_keep(struct upm_usdt_claim *claim)
{
	if (!claim)
		return;
	upm_vector_clear(&claim->addresses);
	upm_vector_clear(&claim->ids);
	upm_usdt_maps_close(&claim->maps);
	free(claim);
}
