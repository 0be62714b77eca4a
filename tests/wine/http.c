/* Asks the local server as the add-in's VBA does, by WinHTTP: http.exe HOME CALLS ANSWERS [REPEATS]

   HOME has server.json and token. CALLS and ANSWERS hold texts in UTF-8, each ended by a form feed. A call "!stop"
   ends the server. The server proves that it knows the token before it is told it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winhttp.h>

#define END '\f'
#define MOST (4 << 20)

static char answer[MOST], path[1024], field[256];

static double now(void)
{
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    return (double)count.QuadPart / frequency.QuadPart;
}

static char *read_file(const char *folder, const char *name)
{
    snprintf(path, sizeof path, "%s%s", folder, name);
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

static const char *field_of(const char *json, const char *name)
{
    snprintf(field, sizeof field, "\"%s\": ", name);
    const char *start = strstr(json, field);
    if (!start) return printf("FAILED: no %s\n", name), exit(2), NULL;
    start += strlen(field) + (start[strlen(field)] == '"');
    snprintf(field, sizeof field, "%.*s", (int)strcspn(start, "\",}"), start);
    return field;
}

/* The status; the body is in `answer`. */
static DWORD ask(HINTERNET server, const wchar_t *method, const char *where, const char *token, const char *body)
{
    wchar_t wide[1024], headers[1024];
    DWORD status = 0, size = sizeof status, read = 0, total = 0;
    MultiByteToWideChar(CP_UTF8, 0, where, -1, wide, 1024);
    swprintf(headers, 1024, L"Authorization: Bearer %hs\r\nContent-Type: text/plain; charset=utf-8", token);
    HINTERNET request = WinHttpOpenRequest(server, method, wide, NULL, WINHTTP_NO_REFERER, WINHTTP_DEFAULT_ACCEPT_TYPES, 0);
    WinHttpSetTimeouts(request, 1000, 2000, 5000, 10000);
    if (!WinHttpSendRequest(request, *token ? headers : NULL, *token ? (DWORD)-1 : 0, (void *)body, strlen(body), strlen(body), 0)
        || !WinHttpReceiveResponse(request, NULL)) {
        printf("FAILED: %s: error %lu\n", where, GetLastError());
        exit(1);
    }
    WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &status, &size, NULL);
    while (WinHttpReadData(request, answer + total, MOST - 1 - total, &read) && read) total += read;
    answer[total] = 0;
    WinHttpCloseHandle(request);
    return status;
}

int main(int count, char **options)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (count < 4) return 2;
    char *state = read_file(options[1], "\\server.json"), *token = read_file(options[1], "\\token");
    int port = atoi(field_of(state, "port")), repeats = count > 4 ? atoi(options[4]) : 1;
    HINTERNET session = WinHttpOpen(L"voladdin", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    HINTERNET server = WinHttpConnect(session, L"127.0.0.1", port, 0);
    char where[512];
    snprintf(where, sizeof where, "/v1/proof/%s", field_of(state, "challenge"));
    ask(server, L"GET", where, "", "");
    if (!strstr(answer, field_of(state, "proof"))) return printf("FAILED: a stranger has the port\n"), 1;
    char *calls = read_file("", options[2]);
    FILE *answers = fopen(options[3], "wb");
    for (char *next; (next = strchr(calls, END)); calls = next + 1) {
        *next = 0;
        double start = now();
        int stops = !strcmp(calls, "!stop");
        DWORD status = 0;
        for (int i = 0; i < repeats; i++) {
            status = ask(server, L"POST", stops ? "/v1/stop" : "/v1/cells", token, stops ? "" : calls);
            if (i == 0) fprintf(answers, "%s%c", answer, END);
        }
        printf("%.9s: %lu, %.2f ms\n", calls, status, 1e3 * (now() - start) / repeats);
    }
    fclose(answers);
    return 0;
}
