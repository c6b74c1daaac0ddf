/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* catcher(): an exception that begins and ends within one call. */
extern "C" {
int catcher(int value);
}

__attribute__((noipa)) static void thrower(int value)
{
	throw value;
}

__attribute__((noipa)) int catcher(int value)
{
	try {
		thrower(value);
	} catch (int caught) {
		return caught;
	}
	return 0;
}
