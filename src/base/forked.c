/* forked.c - the page behind a birthmark, and what stands in where there is none. */
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

void birthmark_make(struct birthmark *mark)
{
    const unsigned char *page = wiped_page();
    *mark = (struct birthmark){.page = page ? page : &no_page, .pid = page ? 0 : getpid()};
}

void birthmark_free(struct birthmark *mark)
{
    if (mark->page != &no_page)
        munmap((void *)(size_t)mark->page, 1);
    mark->page = &no_page;
}

bool birthmark_is_foreign(const struct birthmark *mark)
{
    return mark->pid != getpid();
}
