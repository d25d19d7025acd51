#pragma once

// Threads that stay between calls: a call wakes them, works along, and returns when all parts are done. Nothing is
// allocated by a call. A call from inside a part, or while another thread has the pool, runs all parts by itself.

typedef struct rene_pool rene_pool;

// `width` threads with the caller, at least 1; NULL when none can be made.
rene_pool *rene_pool_create(int width);

// How many threads there are: fewer than asked for where the system makes no more.
int rene_pool_width(const rene_pool *pool);

void rene_pool_destroy(rene_pool *pool);

// Calls work(context, part, parts) for each part, each on a thread of its own where there are as many. A part may be run
// by the caller.
void rene_pool_run(rene_pool *pool, void (*work)(void *context, int part, int parts), void *context);
