/* kernel_impl.h - how the kernel's files put themselves in the place of the C library. */
#ifndef TESTS_SIM_KERNEL_IMPL_H
#define TESTS_SIM_KERNEL_IMPL_H

/* The C library's NAME, defined here: under a name of our own, as headers may define NAME, too. */
#define REPLACES(name) __asm__(#name) __attribute__((visibility("default"), used))

void kernel_clock_begin(void);

#endif
