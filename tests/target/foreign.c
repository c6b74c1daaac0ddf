/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* libforeign.so: a 32-bit library, to be recognised and judged; nothing loads it. */
int foreign_one(int value);
int foreign_two(int value);

int foreign_one(int value)
{
	return value + 1;
}

int foreign_two(int value)
{
	return foreign_one(value) + 1;
}
