/*
 * What a ksmd that others keep from the CPU makes wait. It is /init, the only program of a test kernel's initramfs.
 *
 *   init SECONDS PAGES...
 *
 * A process and four small guests offer memory to KSM. Half of it is alike, the rest differs, and some of it changes.
 * One thread per CPU works all the time. For each scheduling class of ksmd and each number of pages per batch, these are
 * measured for SECONDS:
 *
 *   map    mmap() and munmap() in that process, which take its mmap lock for writing
 *   start  of a guest: fork(), mmap(), madvise(MADV_MERGEABLE)
 *   end    of the oldest guest, from SIGKILL until it is reaped
 *   stop   echo 0 > run, which waits for the mutex that ksmd holds for a batch
 *   go     echo 1 > run after it
 *
 * Who waits is SCHED_FIFO, so that it waits for locks and not for a CPU. Each case is one line of JSON, with how often each was
 * done, and the median, the 99th percentile and the longest in milliseconds. A wait that is not over when the time is up counts
 * as far as it went, because ksmd is hurried then. In the end the machine is switched off.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KSM "/sys/kernel/mm/ksm/"
#define PAGE 4096
/* In pages: 48 and 4 MiB. */
#define PROCESS_PAGES (48 << 8)
#define GUEST_PAGES (4 << 8)
#define GUESTS 4
/* So many pages of the process change each time that it calls mmap(). */
#define CHANGES 8
#define MOST_WAITS 32768
#define MOST_CPUS 64
#define MILLI 1000000LL

enum probe { MAP, START, END, STOP, GO, PROBES };
static const char *const NAMES[PROBES] = {"map", "start", "end", "stop", "go"};

static const struct ksmd_class {
  const char *name;
  int policy, nice;
} CLASSES[] = {
    {"off", SCHED_OTHER, 5}, {"other 5", SCHED_OTHER, 5}, {"other 19", SCHED_OTHER, 19}, {"idle", SCHED_IDLE, 5}};

/* Of all processes. */
static struct shared {
  volatile int is_on;
  sem_t started;
  int counts[PROBES];
  int64_t waits[PROBES][MOST_WAITS];
} *shared;

static pid_t ksmd;

static void die(const char *what) {
  perror(what);
  reboot(RB_POWER_OFF);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 * MILLI + time.tv_nsec;
}

static void rest(int64_t nanos) {
  struct timespec time = {nanos / (1000 * MILLI), nanos % (1000 * MILLI)};
  while (nanosleep(&time, &time) != 0) continue;
}

static void waited_since(int64_t begin, enum probe probe) {
  int *count = &shared->counts[probe];
  if (*count < MOST_WAITS) shared->waits[probe][(*count)++] = now() - begin;
}

static void put(const char *path, long value) {
  char text[32];
  int file = open(path, O_WRONLY), length = snprintf(text, sizeof text, "%ld", value);
  if (file < 0 || write(file, text, (size_t)length) != length) die(path);
  close(file);
}

/* The number in the first line of that form. */
static double get(const char *path, const char *form) {
  char line[128];
  double value;
  FILE *file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, form, &value) != 1) continue;
    fclose(file);
    return value;
  }
  die(path);
  return 0;
}

static const char *file_of(pid_t pid, const char *name) {
  static char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return path;
}

/* A kernel thread, which is there before any program. */
static pid_t find_ksmd(void) {
  for (pid_t pid = 2;; pid++) {
    char name[32] = "";
    int file = open(file_of(pid, "comm"), O_RDONLY);
    if (file < 0) continue;
    ssize_t length = read(file, name, sizeof name);
    close(file);
    if (length == 5 && memcmp(name, "ksmd\n", 5) == 0) return pid;
  }
}

static void schedule(pid_t pid, int policy, int nice, int priority) {
  struct sched_param param = {.sched_priority = priority};
  if (sched_setscheduler(pid, policy, &param) != 0) die("sched_setscheduler");
  if (policy != SCHED_FIFO && setpriority(PRIO_PROCESS, (id_t)pid, nice) != 0) die("setpriority");
}

/* Half of the pages are alike in all processes and differ within one. */
static char *offer(long pages, int64_t begin) {
  char *start = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED || madvise(start, (size_t)pages * PAGE, MADV_NOHUGEPAGE) != 0) die("mmap");
  if (madvise(start, (size_t)pages * PAGE, MADV_MERGEABLE) != 0) die("madvise");
  waited_since(begin, START);
  sem_post(&shared->started);
  for (long i = 0; i < pages; i++) {
    uint64_t *words = (uint64_t *)(start + i * PAGE), seed = (uint64_t)i << 32 | (i % 2 ? (uint64_t)getpid() : 0);
    for (int word = 0; word < PAGE / 8; word++) words[word] = seed = seed * 6364136223846793005u + 1442695040888963407u;
  }
  return start;
}

/* The process that ksmd goes through most of the time. */
static void run_process(void) {
  char *memory = offer(PROCESS_PAGES, now());
  schedule(0, SCHED_FIFO, 0, 2);
  for (long turn = 0;; rest(5 * MILLI)) {
    if (!shared->is_on) continue;
    for (int i = 0; i < CHANGES; i++) memory[turn++ * 2 * PAGE % (PROCESS_PAGES / 4 * PAGE) + PAGE]++;
    int64_t begin = now();
    void *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(map, PAGE);
    waited_since(begin, MAP);
  }
}

static pid_t start_guest(void) {
  int64_t begin = now();
  pid_t guest = fork();
  if (guest == 0) {
    offer(GUEST_PAGES, begin);
    for (;;) pause();
  }
  while (sem_wait(&shared->started) != 0) continue;
  return guest;
}

static void end(pid_t guest) {
  int64_t begin = now();
  kill(guest, SIGKILL);
  waitpid(guest, NULL, 0);
  waited_since(begin, END);
}

static void *start_and_end(void *nothing) {
  pid_t guests[GUESTS];
  schedule(0, SCHED_FIFO, 0, 1);
  for (int i = 0; i < GUESTS; i++) guests[i] = start_guest();
  for (int oldest = 0; shared->is_on; oldest = (oldest + 1) % GUESTS) {
    rest(100 * MILLI);
    end(guests[oldest]);
    guests[oldest] = start_guest();
  }
  for (int i = 0; i < GUESTS; i++) end(guests[i]);
  return nothing;
}

static void *stop_and_go(void *nothing) {
  schedule(0, SCHED_FIFO, 0, 2);
  while (shared->is_on) {
    rest(100 * MILLI);
    int64_t begin = now();
    put(KSM "run", 0);
    waited_since(begin, STOP);
    begin = now();
    put(KSM "run", 1);
    waited_since(begin, GO);
  }
  return nothing;
}

/* Where QEMU counts instructions as time, these let it pass soonest. */
static void *work(void *cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
  while (shared->is_on) __asm__ volatile(".rept 400\n nop\n .endr");
  return NULL;
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void print_waits(enum probe probe) {
  static const int percents[] = {50, 99, 100};
  int64_t *waits = shared->waits[probe];
  int count = shared->counts[probe];
  qsort(waits, (size_t)count, sizeof *waits, by_size);
  printf(",\"%s\":[%d", NAMES[probe], count);
  for (int i = 0; i < 3; i++) {
    if (count > 0) printf(",%.3f", (double)waits[(count - 1) * percents[i] / 100] / MILLI);
  }
  printf("]");
}

static void run_case(const struct ksmd_class *class, long pages, int seconds) {
  int is_off = class == CLASSES;
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  pthread_t guests, switcher, workers[MOST_CPUS];
  put(KSM "run", 2);
  put(KSM "pages_to_scan", pages);
  memset(shared->counts, 0, sizeof shared->counts);
  schedule(ksmd, class->policy, class->nice, 0);
  put(file_of(ksmd, "sched"), 0);
  double scanned = get(KSM "pages_scanned", "%lf"), nanos = get(file_of(ksmd, "schedstat"), "%lf"), begin = now();
  shared->is_on = 1;
  for (long i = 0; i < cpus; i++) pthread_create(&workers[i], NULL, work, (void *)i);
  put(KSM "run", !is_off);
  pthread_create(&guests, NULL, start_and_end, NULL);
  if (!is_off) pthread_create(&switcher, NULL, stop_and_go, NULL);
  rest(seconds * 1000 * MILLI);
  nanos = get(file_of(ksmd, "schedstat"), "%lf") - nanos;
  printf("@{\"ksmd\":\"%s\",\"pages\":%ld,\"percent\":%.2f,\"scanned\":%.0f,\"longestGap\":%.1f", class->name, pages,
         100 * nanos / (now() - begin), get(KSM "pages_scanned", "%lf") - scanned,
         get(file_of(ksmd, "sched"), "wait_max : %lf"));
  shared->is_on = 0;
  schedule(ksmd, SCHED_OTHER, 0, 0);
  pthread_join(guests, NULL);
  if (!is_off) pthread_join(switcher, NULL);
  for (long i = 0; i < cpus; i++) pthread_join(workers[i], NULL);
  rest(10 * MILLI);
  for (enum probe probe = 0; probe < PROBES; probe++) print_waits(probe);
  puts("}");
}

int main(int count, char **words) {
  if (getpid() != 1 || count < 3) return 64;
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  char preempt[64] = "";
  int file = open("/sys/kernel/debug/sched/preempt", O_RDONLY);
  if (file < 0 || read(file, preempt, sizeof preempt - 1) < 1) die("preempt");
  preempt[strcspn(preempt, "\n")] = 0;
  struct utsname kernel;
  uname(&kernel);
  printf("@{\"release\":\"%s\",\"preempt\":\"%s\"}\n", kernel.release, preempt);
  put("/proc/sys/kernel/sched_rt_runtime_us", -1);
  put("/proc/sys/kernel/sched_schedstats", 1);
  put(KSM "smart_scan", 0);
  put(KSM "sleep_millisecs", 2);
  ksmd = find_ksmd();
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  sem_init(&shared->started, 1, 0);
  if (fork() == 0) run_process();
  while (sem_wait(&shared->started) != 0) continue;
  rest(1000 * MILLI);
  run_case(&CLASSES[0], 0, atoi(words[1]));
  for (size_t class = 1; class < sizeof CLASSES / sizeof *CLASSES; class++) {
    for (int i = 2; i < count; i++) run_case(&CLASSES[class], atol(words[i]), atoi(words[1]));
  }
  return reboot(RB_POWER_OFF);
}
