/* proxy.h - the fault proxy that libevpq-test has, by its inner names. */
#ifndef TESTS_SUPPORT_PROXY_H
#define TESTS_SUPPORT_PROXY_H

#include "testing/proxy.h"

#endif
