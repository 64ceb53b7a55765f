/*
 * The two static programs of a test kernel's initramfs, in one file:
 *
 * /init, the first process: mounts what programs expect, runs Node with /lab/inside/main.js, reaps, and switches the machine
 * off when Node ends.
 *
 * qemu-system-x86_64 -name guest=NAME -- huge|small KIND:MIB...: plays a QEMU guest. It fills memory, offers it with
 * madvise(MADV_MERGEABLE), says where it is in one JSON line, and sleeps until it is killed. What comes before "--" is
 * only there to be recognised. `huge`: in huge pages, `small`: never. At SIGUSR1 it changes some bytes in every page, so that no two are
 * alike any more. KIND is
 *   common   pages that are the same in every guest and all different within one
 *   unique   pages that no other guest has
 *   zero     pages of zeros that were written, so that they exist
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_AREAS 16

static int init(void) {
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  setenv("PATH", "/usr/bin:/bin", 1);
  pid_t node = fork();
  if (node == 0) {
    execl("/usr/bin/node", "node", "/lab/inside/main.js", NULL);
    perror("/usr/bin/node");
    _exit(1);
  }
  while (wait(NULL) != node) continue;
  return reboot(RB_POWER_OFF);
}

/* splitmix64 */
static uint64_t next(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static void fill(char *page, size_t bytes, uint64_t seed) {
  uint64_t *words = (uint64_t *)page;
  for (size_t i = 0; i < bytes / sizeof *words; i++) words[i] = next(&seed);
}

/* A huge page has as many pages as a page holds pointers of 8 bytes. */
static size_t huge_page(size_t page) { return page * (page / 8); }

static char *fill_area(const char *kind, size_t bytes, int advice) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), huge = huge_page(page);
  char *map = mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) return NULL;
  char *start = (char *)(((uintptr_t)map + huge - 1) / huge * huge);
  madvise(start, bytes, advice);
  uint64_t first_seed = strcmp(kind, "unique") == 0 ? (uint64_t)getpid() << 32 : 1;
  for (size_t at = 0; at < bytes; at += page) {
    if (strcmp(kind, "zero") == 0) *(volatile char *)(start + at) = 0;
    else fill(start + at, page, first_seed + at / page);
  }
  return madvise(start, bytes, MADV_MERGEABLE) == 0 ? start : NULL;
}

struct area {
  char *start;
  size_t bytes;
};

static void tell_apart(struct area area) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (size_t at = 0; at < area.bytes; at += page) *(size_t *)(area.start + at) = at + 1;
}

static int guest(char **words) {
  struct area areas[MOST_AREAS];
  int count = 0, signal;
  sigset_t asked;
  sigemptyset(&asked);
  sigaddset(&asked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &asked, NULL);
  int advice = strcmp(*words, "huge") == 0 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
  const char *separator = "";
  printf("{\"areas\":[");
  while (*++words != NULL) {
    char kind[16];
    size_t mib;
    if (count == MOST_AREAS || sscanf(*words, "%15[a-z]:%zu", kind, &mib) != 2) return 64;
    char *start = fill_area(kind, mib << 20, advice);
    if (start == NULL) {
      perror(*words);
      return 1;
    }
    printf("%s{\"kind\":\"%s\",\"start\":%ju,\"bytes\":%zu}", separator, kind, (uintmax_t)(uintptr_t)start, mib << 20);
    separator = ",";
    areas[count++] = (struct area){start, mib << 20};
  }
  puts("]}");
  fflush(stdout);
  while (sigwait(&asked, &signal) == 0) {
    for (int i = 0; i < count; i++) tell_apart(areas[i]);
  }
  return 1;
}

int main(int count, char **words) {
  if (getpid() == 1) return init();
  for (int i = 1; i + 1 < count; i++) {
    if (strcmp(words[i], "--") == 0) return guest(words + i + 1);
  }
  return 64;
}
