/* switch.S - see switch.h. What a function must preserve is pushed onto the stack that is left, the
 * stack pointer stored, the other one loaded, and popped from there: both frames look the same, so
 * that the unwinding tables hold throughout. Registers: the ELF psABI of x86-64 ("Register Usage")
 * and AAPCS64 (6.1), with FPCR, which holds how floating point rounds.
 *
 * No return address is where a shadow stack (CET) expects it. The file therefore has no
 * .note.gnu.property, which keeps the dynamic linker from turning shadow stacks on. */

#if defined(__x86_64__) && !defined(__ILP32__)

    .text

/* void stack_switch(void **ret_from, void *to) */
    .globl stack_switch
    .hidden stack_switch
    .type stack_switch, @function
    .p2align 4
stack_switch:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    stmxcsr (%rsp)              /* rounding and masks, not flags, belong to the function */
    fnstcw 4(%rsp)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    popq %rcx                   /* not ret, whose target the processor would guess wrong */
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    jmpq *%rcx
    .cfi_endproc
    .size stack_switch, .-stack_switch

/* void *stack_prepare(void *bottom, size_t size, void (*fn)(void *), void *arg) */
    .globl stack_prepare
    .hidden stack_prepare
    .type stack_prepare, @function
    .p2align 4
stack_prepare:
    .cfi_startproc
    leaq -64(%rdi,%rsi), %rax
    andq $-16, %rax
    stmxcsr (%rax)
    fnstcw 4(%rax)
    movq $0, 8(%rax)            /* r15 */
    movq $0, 16(%rax)           /* r14 */
    movq %rdx, 24(%rax)         /* r13: fn */
    movq %rcx, 32(%rax)         /* r12: arg */
    movq $0, 40(%rax)           /* rbx */
    movq $0, 48(%rax)           /* rbp: the outermost frame */
    leaq first_frame(%rip), %rcx
    movq %rcx, 56(%rax)
    retq
    .cfi_endproc
    .size stack_prepare, .-stack_prepare

    .type first_frame, @function
first_frame:
    .cfi_startproc
    .cfi_undefined %rip         /* nobody called it: here a backtrace ends */
    movq %r12, %rdi
    callq *%r13
    ud2
    .cfi_endproc
    .size first_frame, .-first_frame

#elif defined(__aarch64__)

    .text

/* void stack_switch(void **ret_from, void *to) */
    .globl stack_switch
    .hidden stack_switch
    .type stack_switch, %function
    .p2align 4
stack_switch:
    .cfi_startproc
    sub sp, sp, #176
    .cfi_adjust_cfa_offset 176
    stp d8, d9, [sp, #0]
    stp d10, d11, [sp, #16]
    stp d12, d13, [sp, #32]
    stp d14, d15, [sp, #48]
    stp x19, x20, [sp, #64]
    stp x21, x22, [sp, #80]
    stp x23, x24, [sp, #96]
    stp x25, x26, [sp, #112]
    stp x27, x28, [sp, #128]
    stp x29, x30, [sp, #144]
    .cfi_rel_offset x19, 64
    .cfi_rel_offset x20, 72
    .cfi_rel_offset x21, 80
    .cfi_rel_offset x22, 88
    .cfi_rel_offset x23, 96
    .cfi_rel_offset x24, 104
    .cfi_rel_offset x25, 112
    .cfi_rel_offset x26, 120
    .cfi_rel_offset x27, 128
    .cfi_rel_offset x28, 136
    .cfi_rel_offset x29, 144
    .cfi_rel_offset x30, 152
    mrs x2, fpcr
    str x2, [sp, #160]
    mov x2, sp
    str x2, [x0]
    mov sp, x1
    ldr x2, [sp, #160]
    msr fpcr, x2
    ldp d8, d9, [sp, #0]
    ldp d10, d11, [sp, #16]
    ldp d12, d13, [sp, #32]
    ldp d14, d15, [sp, #48]
    ldp x19, x20, [sp, #64]
    ldp x21, x22, [sp, #80]
    ldp x23, x24, [sp, #96]
    ldp x25, x26, [sp, #112]
    ldp x27, x28, [sp, #128]
    ldp x29, x30, [sp, #144]
    add sp, sp, #176
    .cfi_adjust_cfa_offset -176
    .cfi_restore x19
    .cfi_restore x20
    .cfi_restore x21
    .cfi_restore x22
    .cfi_restore x23
    .cfi_restore x24
    .cfi_restore x25
    .cfi_restore x26
    .cfi_restore x27
    .cfi_restore x28
    .cfi_restore x29
    .cfi_restore x30
    ret
    .cfi_endproc
    .size stack_switch, .-stack_switch

/* void *stack_prepare(void *bottom, size_t size, void (*fn)(void *), void *arg) */
    .globl stack_prepare
    .hidden stack_prepare
    .type stack_prepare, %function
    .p2align 4
stack_prepare:
    .cfi_startproc
    add x0, x0, x1
    sub x0, x0, #176
    and x0, x0, #-16
    adr x4, first_frame
    stp x2, x3, [x0, #64]       /* x19: fn, x20: arg */
    mrs x5, fpcr
    str x5, [x0, #160]
    stp xzr, x4, [x0, #144]     /* x29: the outermost frame; x30 */
    ret
    .cfi_endproc
    .size stack_prepare, .-stack_prepare

    .type first_frame, %function
first_frame:
    .cfi_startproc
    .cfi_undefined x30          /* nobody called it: here a backtrace ends */
    mov x0, x20
    blr x19
    brk #0
    .cfi_endproc
    .size first_frame, .-first_frame

#endif

#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack, "", %progbits
#endif
