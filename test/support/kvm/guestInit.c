/*
 * /init of a test guest, alone in its initramfs. Its orders come from the kernel's command line, which hands it what the
 * kernel does not know itself as environment:
 *   COMMON_MIB, OWN_MIB             what it fills its memory with
 *   COMMON_SEED                     hexadecimal; guests with the same have the same common pages
 *   OWN_SEED                        hexadecimal; no two guests may have the same
 *   ZERO_MIB                        pages that are there and hold nothing but zeros
 *   REWRITTEN_MIB_PER_SECOND        how many MiB of its own pages it dirties, round and round
 *   REWRITTEN_ZERO_MIB_PER_SECOND   how many MiB of its empty pages it writes to, round and round; a tenth of a second later
 *                                   they are empty again
 * It says "ready" once on the console when its memory is filled. To the line "align" it fills its own pages with what every
 * guest that is told so fills them with, and says "aligned"; to "diverge" it fills them as they were at first, and says
 * "diverged"; to "read" it reads a word of each of its pages, and says "done reading"; to "sprinkle" it writes to the first
 * of each 512 empty pages, and says "sprinkled"; to "check" it compares its common and own pages with what it last filled them
 * with, and says "contents right" or "contents wrong". Otherwise it sleeps.
 *
 * Built without a C library: see guestImage.ts.
 */
#include <stdint.h>

#define SYS_READ 0
#define SYS_WRITE 1
#define SYS_POLL 7
#define SYS_MMAP 9
#define SYS_EXIT 60
#define SYS_CLOCK_GETTIME 228

#define PAGE_BYTES 4096ull
#define PAGES_PER_MIB 256ull
#define WORDS_PER_PAGE (PAGE_BYTES / sizeof(uint64_t))
#define PAGES_PER_HUGE_PAGE 512ull
#define ALIGNED_SEED 2ull
#define ROUNDS_PER_SECOND 10ull
#define NANOS_PER_SECOND 1000000000ull
#define NANOS_PER_ROUND (NANOS_PER_SECOND / ROUNDS_PER_SECOND)
#define NANOS_PER_MILLI 1000000ull

struct pollfd {
  int fd;
  short events;
  short revents;
};

struct timespec {
  int64_t seconds;
  int64_t nanos;
};

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static void say(const char *line) {
  long length = 0;
  while (line[length] != '\0') length++;
  call(SYS_WRITE, 1, (long)line, length, 0, 0, 0);
}

/* The kernel panics without its first program, and so the guest ends. */
static void die(const char *line) {
  say(line);
  for (;;) call(SYS_EXIT, 1, 0, 0, 0, 0, 0);
}

static uint64_t now_nanos(void) {
  struct timespec now;
  call(SYS_CLOCK_GETTIME, 1, (long)&now, 0, 0, 0, 0);
  return (uint64_t)now.seconds * NANOS_PER_SECOND + (uint64_t)now.nanos;
}

/* The value of NAME=VALUE, or "". */
static const char *order(char **environment, const char *name) {
  for (; *environment != 0; environment++) {
    const char *text = *environment;
    const char *rest = name;
    while (*rest != '\0' && *text == *rest) text++, rest++;
    if (*rest == '\0' && *text == '=') return text + 1;
  }
  return "";
}

static uint64_t number(const char *text, uint64_t base) {
  uint64_t value = 0;
  for (; *text != '\0'; text++) value = value * base + (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
  return value;
}

/* A bijection of 64-bit numbers whose neighbours have nothing in common (splitmix64). */
static uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/* For one seed no two indices give the same first word. */
static uint64_t first_word(uint64_t seed, uint64_t index) { return mixed(mixed(seed) ^ index); }

static void fill_page(uint64_t *page, uint64_t seed, uint64_t index) {
  uint64_t word = first_word(seed, index);
  for (uint64_t i = 0; i < WORDS_PER_PAGE; i++) {
    page[i] = word;
    word = word * 6364136223846793005ull + 1442695040888963407ull;
  }
}

static void fill(uint64_t *pages, uint64_t count, uint64_t seed) {
  for (uint64_t i = 0; i < count; i++) fill_page(pages + i * WORDS_PER_PAGE, seed, i);
}

static int filled(const uint64_t *pages, uint64_t count, uint64_t seed) {
  for (uint64_t index = 0; index < count; index++) {
    const uint64_t *page = pages + index * WORDS_PER_PAGE;
    uint64_t word = first_word(seed, index);
    for (uint64_t i = 0; i < WORDS_PER_PAGE; i++) {
      if (page[i] != word) return 0;
      word = word * 6364136223846793005ull + 1442695040888963407ull;
    }
  }
  return 1;
}

static void touch(uint64_t *pages, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) ((volatile uint64_t *)pages)[i * WORDS_PER_PAGE] = 0;
}

static uint64_t *memory(uint64_t pages) {
  const long read_write = 3, private_anonymous = 0x22;
  if (pages == 0) return 0;
  long address = call(SYS_MMAP, 0, (long)(pages * PAGE_BYTES), read_write, private_anonymous, -1, 0);
  if (address < 0 && address > -4096) die("no memory\n");
  return (uint64_t *)address;
}

/* One word of each page: what is not there, or is shared, stays so. */
static void read_all(const uint64_t *pages, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) (void)((const volatile uint64_t *)pages)[i * WORDS_PER_PAGE];
}

/* Makes `count` of its own pages, from where it was last, differ from what they were: one word is enough for that. */
static void rewrite(uint64_t *own, uint64_t own_pages, uint64_t count) {
  static uint64_t written;
  for (; count > 0 && own_pages > 0; count--, written++) {
    uint64_t *page = own + written % own_pages * WORDS_PER_PAGE;
    *page = mixed(*page);
  }
}

/* Empties the pages that it wrote to last, and writes to the next `count`. */
static void rewrite_zeros(uint64_t *zeros, uint64_t zero_pages, uint64_t count) {
  static uint64_t emptied, written;
  if (zero_pages == 0) return;
  for (; emptied < written; emptied++) zeros[emptied % zero_pages * WORDS_PER_PAGE] = 0;
  for (; count > 0; count--, written++) zeros[written % zero_pages * WORDS_PER_PAGE] = 1;
}

static int is(const char *line, int length, const char *word) {
  int i = 0;
  while (i < length && word[i] != '\0' && line[i] == word[i]) i++;
  return i == length && word[i] == '\0';
}

enum command { NOTHING, ALIGN, DIVERGE, READ, SPRINKLE, CHECK };

/* Waits for input at most so long (for ever: -1). A character at a time; a whole line is a command. */
static enum command command_within(long timeout_millis) {
  static char line[16];
  static int length;
  struct pollfd console = {.fd = 0, .events = 1, .revents = 0};
  char character;
  if (call(SYS_POLL, (long)&console, 1, timeout_millis, 0, 0, 0) <= 0) return NOTHING;
  if (call(SYS_READ, 0, (long)&character, 1, 0, 0, 0) != 1) return NOTHING;
  if (character != '\n') {
    if (length < (int)sizeof line) line[length++] = character;
    return NOTHING;
  }
  int ended = length;
  length = 0;
  if (is(line, ended, "align")) return ALIGN;
  if (is(line, ended, "diverge")) return DIVERGE;
  if (is(line, ended, "sprinkle")) return SPRINKLE;
  if (is(line, ended, "check")) return CHECK;
  return is(line, ended, "read") ? READ : NOTHING;
}

__attribute__((used)) static void run(long *stack) {
  char **environment = (char **)(stack + 1 + stack[0] + 1);
  uint64_t common_pages = number(order(environment, "COMMON_MIB"), 10) * PAGES_PER_MIB;
  uint64_t own_pages = number(order(environment, "OWN_MIB"), 10) * PAGES_PER_MIB;
  uint64_t rewritten_pages = number(order(environment, "REWRITTEN_MIB_PER_SECOND"), 10) * PAGES_PER_MIB;
  uint64_t zero_pages = number(order(environment, "ZERO_MIB"), 10) * PAGES_PER_MIB;
  uint64_t rewritten_zeros = number(order(environment, "REWRITTEN_ZERO_MIB_PER_SECOND"), 10) * PAGES_PER_MIB;
  uint64_t common_seed = number(order(environment, "COMMON_SEED"), 16);
  uint64_t own_seed = number(order(environment, "OWN_SEED"), 16);
  uint64_t own_contents = own_seed;
  uint64_t *common = memory(common_pages);
  uint64_t *own = memory(own_pages);
  uint64_t *zeros = memory(zero_pages);
  int rewrites = rewritten_pages > 0 || rewritten_zeros > 0;
  fill(common, common_pages, common_seed);
  fill(own, own_pages, own_seed);
  touch(zeros, zero_pages);
  say("ready\n");

  uint64_t next_round = now_nanos() + NANOS_PER_ROUND;
  for (;;) {
    long timeout_millis = -1;
    if (rewrites) {
      uint64_t now = now_nanos();
      timeout_millis = next_round > now ? (long)((next_round - now) / NANOS_PER_MILLI) + 1 : 0;
    }
    switch (command_within(timeout_millis)) {
      case ALIGN:
        own_contents = ALIGNED_SEED;
        fill(own, own_pages, own_contents);
        say("aligned\n");
        break;
      case DIVERGE:
        own_contents = own_seed;
        fill(own, own_pages, own_contents);
        say("diverged\n");
        break;
      case READ:
        read_all(common, common_pages);
        read_all(own, own_pages);
        read_all(zeros, zero_pages);
        say("done reading\n");
        break;
      case SPRINKLE:
        for (uint64_t i = 0; i < zero_pages; i += PAGES_PER_HUGE_PAGE) zeros[i * WORDS_PER_PAGE] = 1;
        say("sprinkled\n");
        break;
      case CHECK:
        say(filled(common, common_pages, common_seed) && filled(own, own_pages, own_contents) ? "contents right\n"
                                                                                             : "contents wrong\n");
        break;
      case NOTHING:
        break;
    }
    uint64_t now = now_nanos();
    if (rewrites && now >= next_round) {
      rewrite(own, own_pages, rewritten_pages / ROUNDS_PER_SECOND);
      rewrite_zeros(zeros, zero_pages, rewritten_zeros / ROUNDS_PER_SECOND);
      /* A guest that is late does not catch up: it would never sleep again. */
      next_round = next_round + NANOS_PER_ROUND > now ? next_round + NANOS_PER_ROUND : now;
    }
  }
}

__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call run\n");
