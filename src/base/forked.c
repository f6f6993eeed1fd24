/* forked.c - the page behind a fork mark, and what stands in where there is none. */
#include "base/forked.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static const unsigned char no_page;

/* A page that reads 1 here and 0 in a forked child; NULL where that cannot be had. */
static unsigned char *wiped_page(void)
{
#ifdef MADV_WIPEONFORK
    unsigned char *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return NULL;
    if (!madvise(page, 1, MADV_WIPEONFORK)) {
        *page = 1;
        return page;
    }
    munmap(page, 1);
#endif
    return NULL;
}

void fork_mark_make(struct fork_mark *mark)
{
    const unsigned char *page = wiped_page();
    *mark = (struct fork_mark){.page = page ? page : &no_page, .pid = page ? 0 : getpid()};
}

void fork_mark_free(struct fork_mark *mark)
{
    if (mark->page != &no_page)
        munmap((void *)(size_t)mark->page, 1);
    mark->page = &no_page;
}

bool fork_mark_is_foreign(const struct fork_mark *mark)
{
    return mark->pid != getpid();
}
