/* What com.c and http.c share: CALLS and ANSWERS hold texts in UTF-8, each ended by a form feed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define END '\f'
#define MOST_REPEATS 10000

typedef const char *(*Ask)(const char *call); /* the answer, valid until the next one */

static double now(void)
{
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    return (double)count.QuadPart / frequency.QuadPart;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return printf("FAILED: %s is absent\n", path), exit(2), NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    char *text = calloc(size + 1, 1);
    rewind(file);
    fread(text, 1, size, file);
    fclose(file);
    return text;
}

static int by_size(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* Asks each call as often as told, keeps the first answer, and prints the median and the 95th of 100 times. */
static void ask_all(const char *calls_path, const char *answers_path, const char *repeated, Ask ask)
{
    static double took[MOST_REPEATS];
    int repeats = repeated ? atoi(repeated) : 1;
    char *calls = read_file(calls_path);
    FILE *answers = fopen(answers_path, "wb");
    if (!answers || repeats < 1 || repeats > MOST_REPEATS) exit(2);
    for (char *next; (next = strchr(calls, END)); calls = next + 1) {
        *next = 0;
        for (int i = 0; i < repeats; i++) {
            double start = now();
            const char *answer = ask(calls);
            took[i] = 1e3 * (now() - start);
            if (i == 0) fprintf(answers, "%s%c", answer, END);
        }
        qsort(took, repeats, sizeof *took, by_size);
        printf("%.9s: p50 %.3f ms, p95 %.3f ms\n", calls, took[repeats / 2], took[(int)(0.95 * (repeats - 1))]);
    }
    fclose(answers);
}
