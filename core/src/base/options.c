/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "base/options.h"

#include <string.h>

#include "base/error.h"

static int check_size(size_t size, const char *name)
{
	if (size > sizeof(size_t) && size <= 4096)
		return UPM_OK;
	return upm_fail(UPM_ERR_INVALID, 0, "read a structure", name,
			"set its field size to sizeof of the structure before the call",
			"its size field says %zu bytes", size);
}

int upm_options_read(void *ours, size_t our_size, const void *theirs, const char *name)
{
	size_t size;
	int status;

	memset(ours, 0, our_size);
	memcpy(ours, &our_size, sizeof(our_size));
	if (!theirs)
		return UPM_OK;
	memcpy(&size, theirs, sizeof(size));
	status = check_size(size, name);
	if (status)
		return status;
	for (size_t i = our_size; i < size; i++)
		if (((const unsigned char *)theirs)[i])
			return upm_fail(UPM_ERR_INVALID, 0, "read options", name,
					"leave it zero, or use a newer library",
					"the field at byte %zu is unknown to this library (%s)", i,
					upm_version());
	memcpy(ours, theirs, size < our_size ? size : our_size);
	memcpy(ours, &our_size, sizeof(our_size));
	return UPM_OK;
}

int upm_options_write(void *theirs, const void *ours, size_t our_size, const char *name)
{
	size_t size;
	int status;

	if (!theirs)
		return upm_fail(UPM_ERR_INVALID, 0, "fill in a structure", name, NULL,
				"the pointer is NULL");
	memcpy(&size, theirs, sizeof(size));
	status = check_size(size, name);
	if (status)
		return status;
	memset(theirs, 0, size);
	memcpy(theirs, ours, size < our_size ? size : our_size);
	memcpy(theirs, &size, sizeof(size));
	return UPM_OK;
}
