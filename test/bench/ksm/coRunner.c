/*
 * The neighbour of ksmd: on each CPU a thread that wants to wake up every 2 ms, and, where the machine is to be busy, one that
 * works all the time. After so many seconds it prints what it had as JSON: the units of work done, how late the threads
 * woke up at the 50th, 99th and 99.9th percentile, in milliseconds, and how many times that was.
 *
 *   coRunner SECONDS BUSY
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NANOS 2000000LL
#define WORK_WORDS 65536
#define MOST_CPUS 256
#define MOST_WAKEUPS_PER_CPU 500000

static volatile int is_over;
static volatile uint64_t work_done[MOST_CPUS];
static int64_t *late_nanos[MOST_CPUS];
static long wakeups[MOST_CPUS];

static int64_t now_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void stay_on(long cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) exit(1);
}

/* Half a MiB is read and written: ksmd is felt in the caches as well. */
static void *work(void *argument) {
  long cpu = (long)argument;
  uint64_t *words = calloc(WORK_WORDS, sizeof *words);
  stay_on(cpu);
  while (!is_over) {
    for (long i = 0; i < WORK_WORDS; i++) words[i] = words[i] * 6364136223846793005u + (uint64_t)i;
    work_done[cpu]++;
  }
  return words;
}

static void *wake_up(void *argument) {
  long cpu = (long)argument;
  stay_on(cpu);
  int64_t due = now_nanos();
  while (!is_over && wakeups[cpu] < MOST_WAKEUPS_PER_CPU) {
    due += PERIOD_NANOS;
    struct timespec until = {.tv_sec = due / 1000000000LL, .tv_nsec = due % 1000000000LL};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    int64_t now = now_nanos();
    late_nanos[cpu][wakeups[cpu]++] = now - due;
    if (now > due) due = now;
  }
  return NULL;
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

int main(int count, char **arguments) {
  if (count != 3) return 1;
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  if (cpus > MOST_CPUS) cpus = MOST_CPUS;
  int is_busy = atoi(arguments[2]);
  pthread_t thread;
  pthread_t wakers[MOST_CPUS];
  for (long cpu = 0; cpu < cpus; cpu++) {
    late_nanos[cpu] = calloc(MOST_WAKEUPS_PER_CPU, sizeof **late_nanos);
    pthread_create(&wakers[cpu], NULL, wake_up, (void *)cpu);
    if (is_busy) pthread_create(&thread, NULL, work, (void *)cpu);
  }
  sleep((unsigned)atoi(arguments[1]));
  is_over = 1;
  uint64_t work_in_all = 0;
  long all = 0;
  int64_t *late = calloc((size_t)cpus * MOST_WAKEUPS_PER_CPU, sizeof *late);
  for (long cpu = 0; cpu < cpus; cpu++) {
    pthread_join(wakers[cpu], NULL);
    work_in_all += work_done[cpu];
    for (long i = 0; i < wakeups[cpu]; i++) late[all++] = late_nanos[cpu][i];
  }
  qsort(late, (size_t)all, sizeof *late, by_size);
  double millis[3];
  const double shares[3] = {0.5, 0.99, 0.999};
  for (int i = 0; i < 3; i++) millis[i] = (double)late[(long)(shares[i] * (double)(all - 1))] / 1e6;
  printf("{\"work\":%llu,\"wakeups\":%ld,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f}\n", (unsigned long long)work_in_all,
         all, millis[0], millis[1], millis[2]);
  return 0;
}
