/* faults_line.c - what goes wrong between the library and what it talks to. */
#include "faults.h"

static void cut(void)
{
    proxy_cut(t.proxy);
}

static void reset(void)
{
    proxy_reset(t.proxy);
}

/* At a byte of either direction. */
static void trip(enum proxy_act act)
{
    enum proxy_dir dir = act == PROXY_SWALLOW || below(2) ? PROXY_TO_SERVER : PROXY_TO_CLIENT;
    proxy_arm_after(t.proxy, dir, below(4000), act);
    pause_for(a_while());
    proxy_disarm(t.proxy);
    if (act == PROXY_STALL)
        proxy_cut(t.proxy);
}

static void cut_at_a_byte(void)
{
    trip(PROXY_CUT);
}

static void reset_at_a_byte(void)
{
    trip(PROXY_RESET);
}

static void stall_at_a_byte(void)
{
    trip(PROXY_STALL);
}

static void swallow_an_answer(void)
{
    trip(PROXY_SWALLOW);
}

/* Nothing passes in one direction, on any connection, and all of it later. */
static void hold_back(void)
{
    enum proxy_dir dir = below(2) ? PROXY_TO_SERVER : PROXY_TO_CLIENT;
    proxy_stall(t.proxy, dir, true);
    pause_for(a_while() * 3);
    if (below(2))
        proxy_cut(t.proxy);
    proxy_stall(t.proxy, dir, false);
}

/* Nobody new gets in: refused, or accepted and never answered. */
static void shut_out(void)
{
    proxy_door(t.proxy, below(2) ? PROXY_REFUSE : PROXY_SILENT);
    proxy_cut(t.proxy);
    pause_for(a_while());
    proxy_door(t.proxy, PROXY_OPEN);
}

static void deliver_slowly(void)
{
    bool split = below(2);
    proxy_split(t.proxy, split);
    proxy_delay(t.proxy, PROXY_TO_SERVER, (int)below(40));
    proxy_delay(t.proxy, PROXY_TO_CLIENT, (int)below(40));
    pause_for(a_while());
    if (below(2))
        proxy_cut(t.proxy);
    line_heal();
}

/* A cancel request comes late, to hit another statement if nothing prevents it; or never. */
static void mislead_cancels(void)
{
    proxy_cancels(t.proxy, below(3) ? PROXY_CANCEL_PASS : PROXY_CANCEL_DROP, 20 + (int)below(400));
    pause_for(a_while() * 2);
    proxy_cancels(t.proxy, PROXY_CANCEL_PASS, 0);
}

void line_heal(void)
{
    proxy_door(t.proxy, PROXY_OPEN);
    proxy_disarm(t.proxy);
    proxy_stall(t.proxy, PROXY_TO_SERVER, false);
    proxy_stall(t.proxy, PROXY_TO_CLIENT, false);
    proxy_split(t.proxy, false);
    proxy_delay(t.proxy, PROXY_TO_SERVER, 0);
    proxy_delay(t.proxy, PROXY_TO_CLIENT, 0);
    proxy_cancels(t.proxy, PROXY_CANCEL_PASS, 0);
}

struct fault line_faults[] = {
    {"cut", cut, 2, 0},
    {"reset", reset, 2, 0},
    {"cut at a byte", cut_at_a_byte, 5, 0},
    {"reset at a byte", reset_at_a_byte, 5, 0},
    {"stall at a byte", stall_at_a_byte, 4, 0},
    {"answer swallowed", swallow_an_answer, 5, 0},
    {"held back", hold_back, 2, 0},
    {"shut out", shut_out, 1, 0},
    {"slow and in pieces", deliver_slowly, 2, 0},
    {"cancel requests late or lost", mislead_cancels, 2, 0},
    {0},
};
