/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* C++ names: overloads, a method, a template, all in namespace target. */
#include <cstddef>

#include "known.h"

namespace target
{
__attribute__((noinline, noclone)) int overloaded(int value)
{
	__asm__ volatile("");
	return value;
}

__attribute__((noinline, noclone)) double overloaded(double value)
{
	__asm__ volatile("");
	return value;
}

class Shape
{
      public:
	void method() const;
};

__attribute__((noinline, noclone)) void Shape::method() const
{
	__asm__ volatile("");
}

template <typename Value> __attribute__((noinline, noclone)) Value templated(Value value)
{
	__asm__ volatile("");
	return value;
}
template long templated<long>(long);
} // namespace target

static void call_overloaded_int()
{
	target::overloaded(1);
}

static void call_overloaded_double()
{
	target::overloaded(1.0);
}

static void call_method()
{
	target::Shape().method();
}

static void call_templated()
{
	target::templated(1L);
}

extern "C" const struct shape cxx_shapes[] = {
	{"_ZN6target10overloadedEi", call_overloaded_int},
	{"_ZN6target10overloadedEd", call_overloaded_double},
	{"_ZNK6target5Shape6methodEv", call_method},
	{"_ZN6target9templatedIlEET_S1_", call_templated},
	{NULL, NULL},
};
