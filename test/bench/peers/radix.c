/*
 * The radix tracker in C: the same algorithms as src/kho/radix-tracker.ts, for `npm run bench` to
 * race against. Our own translation, pages of 4 KiB; memory is one array, and a table holds the
 * addresses of pages in it. Prints CPU nanoseconds per key: add, walk, delete, one line for each
 * workload; and a checksum of what the walk met.
 *
 * usage: radix KEYS ROUNDS
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHIFT = 12, DEPTH = 6, TABLE_BITS = 9, LEAF_BITS = 15, KEY_BITS = 53, PAGES = 1 << 15 };

static unsigned char *memory;
static uint64_t next_page;

static void *page_at(uint64_t address) { return memory + address; }

static uint64_t take_page(void)
{
	uint64_t address;

	if (next_page == PAGES)
		return 0;
	address = next_page++ << SHIFT;
	memset(page_at(address), 0, 1 << SHIFT);
	return address;
}

static uint64_t key_of(uint64_t pfn, unsigned order)
{
	return (1ull << (KEY_BITS - 1 - order)) + (pfn >> order);
}

static unsigned slot_of(uint64_t key, int level)
{
	return key >> ((level - 1) * TABLE_BITS + LEAF_BITS) & ((1 << TABLE_BITS) - 1);
}

static int add(uint64_t root, uint64_t pfn, unsigned order)
{
	uint64_t key = key_of(pfn, order);
	uint64_t *node = page_at(root);
	int level;

	for (level = DEPTH - 1; level > 0; level--) {
		uint64_t *slot = &node[slot_of(key, level)];

		if (!*slot && !(*slot = take_page()))
			return 0;
		node = page_at(*slot);
	}
	key &= (1 << LEAF_BITS) - 1;
	((unsigned char *)node)[key >> 3] |= 1 << (key & 7);
	return 1;
}

static void delete(uint64_t root, uint64_t pfn, unsigned order)
{
	uint64_t key = key_of(pfn, order);
	uint64_t *node = page_at(root);
	int level;

	for (level = DEPTH - 1; level > 0; level--) {
		uint64_t next = node[slot_of(key, level)];

		if (!next)
			return;
		node = page_at(next);
	}
	key &= (1 << LEAF_BITS) - 1;
	((unsigned char *)node)[key >> 3] &= ~(1 << (key & 7));
}

typedef void visit_fn(uint64_t pfn, unsigned order, void *of);

static void walk(uint64_t address, int level, uint64_t prefix, visit_fn *visit, void *of)
{
	uint64_t *node = page_at(address);
	unsigned i;

	for (i = 0; i < 1 << TABLE_BITS; i++) {
		uint64_t word = node[i];

		if (!word)
			continue;
		if (level > 0) {
			walk(word, level - 1,
			     prefix + ((uint64_t)i << ((level - 1) * TABLE_BITS + LEAF_BITS)), visit, of);
			continue;
		}
		for (; word; word &= word - 1) {
			uint64_t key = prefix + i * 64 + __builtin_ctzll(word);
			unsigned order = KEY_BITS - 1 - (63 - __builtin_clzll(key));

			visit((key - (1ull << (KEY_BITS - 1 - order))) << order, order, of);
		}
	}
}

static void sum_up(uint64_t pfn, unsigned order, void *of)
{
	*(uint64_t *)of += pfn + order;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Frames of one workload: huge pages one after the other, or single pages all over 16 GiB. */
static unsigned fill(uint32_t *frames, unsigned keys, int scattered)
{
	uint32_t x = 1;
	unsigned i;

	for (i = 0; i < keys; i++) {
		x = x * 1664525u + 1013904223u;
		frames[i] = scattered ? x >> 10 : i * 512;
	}
	return scattered ? 0 : 9;
}

int main(int argc, char **argv)
{
	unsigned keys = argc > 1 ? atoi(argv[1]) : 1000000;
	int rounds = argc > 2 ? atoi(argv[2]) : 1;
	uint32_t *frames = malloc(keys * sizeof(*frames));
	int scattered;

	memory = malloc((uint64_t)PAGES << SHIFT);
	for (; rounds > 0; rounds--) {
		for (scattered = 0; scattered < 2; scattered++) {
			unsigned order = fill(frames, keys, scattered);
			uint64_t root, sum = 0;
			double start, added, walked;
			unsigned i;

			next_page = 1;
			root = take_page();
			start = now();
			for (i = 0; i < keys; i++)
				if (!add(root, frames[i], order))
					return 1;
			added = now();
			walk(root, DEPTH - 1, 0, sum_up, &sum);
			walked = now();
			for (i = 0; i < keys; i++)
				delete(root, frames[i], order);
			printf("%.3f %.3f %.3f %llu\n", (added - start) / keys,
			       (walked - added) / keys, (now() - walked) / keys,
			       (unsigned long long)sum);
		}
	}
	return 0;
}
