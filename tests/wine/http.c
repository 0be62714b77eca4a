/* Asks the local server as the add-in's VBA does, by WinHTTP: http.exe HOME CALLS ANSWERS [REPEATS]

   HOME has server.json and token. A call "!stop" ends the server. The server proves that it knows the token before it is told it.
   A short call in ASCII goes in the request's head, where no body has to wait for the head's acknowledgement. */
#include "ask.h"
#include <winhttp.h>

#define MOST (4 << 20)
#define LONGEST_HEADER 8000

static char answer[MOST], field[256];
static HINTERNET server;
static char *token;

static char *read_from(const char *folder, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s\\%s", folder, name);
    return read_file(path);
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

/* The call as a header's value, percent-encoded; NULL where it is long or not plain. */
static const wchar_t *header_of(const char *call)
{
    static wchar_t value[3 * LONGEST_HEADER + 1];
    wchar_t *end = value;
    if (strlen(call) > LONGEST_HEADER) return NULL;
    for (; *call; call++) {
        if (strchr("%\t\n", *call)) end += swprintf(end, 4, L"%%%02X", *call);
        else if (*call < ' ' || *call > '~') return NULL;
        else *end++ = *call;
    }
    *end = 0;
    return value;
}

/* The status; the body is in `answer`. */
static DWORD request(const wchar_t *method, const char *where, const char *secret, const char *body)
{
    static wchar_t wide[1024], headers[4 * LONGEST_HEADER];
    const wchar_t *headed = strcmp(where, "/v1/cells") ? NULL : header_of(body);
    DWORD status = 0, size = sizeof status, read = 0, total = 0;
    MultiByteToWideChar(CP_UTF8, 0, where, -1, wide, 1024);
    swprintf(headers, 4 * LONGEST_HEADER, L"Authorization: Bearer %hs\r\nContent-Type: text/plain; charset=utf-8%ls%ls",
             secret, headed ? L"\r\nVoladdin-Call: " : L"", headed ? headed : L"");
    if (headed) body = "";
    HINTERNET opened = WinHttpOpenRequest(server, method, wide, NULL, WINHTTP_NO_REFERER, WINHTTP_DEFAULT_ACCEPT_TYPES, 0);
    WinHttpSetTimeouts(opened, 1000, 2000, 5000, 10000);
    if (!WinHttpSendRequest(opened, *secret ? headers : NULL, *secret ? (DWORD)-1 : 0, (void *)body, strlen(body), strlen(body), 0)
        || !WinHttpReceiveResponse(opened, NULL)) {
        printf("FAILED: %s: error %lu\n", where, GetLastError());
        exit(1);
    }
    WinHttpQueryHeaders(opened, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &status, &size, NULL);
    while (WinHttpReadData(opened, answer + total, MOST - 1 - total, &read) && read) total += read;
    answer[total] = 0;
    WinHttpCloseHandle(opened);
    return status;
}

static const char *ask_server(const char *call)
{
    int stops = !strcmp(call, "!stop");
    DWORD status = request(L"POST", stops ? "/v1/stop" : "/v1/cells", token, stops ? "" : call);
    if (status >= 300) printf("FAILED: %.9s: status %lu: %.300s\n", call, status, answer);
    return answer;
}

int main(int count, char **options)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (count < 4) return 2;
    char *state = read_from(options[1], "server.json");
    token = read_from(options[1], "token");
    HINTERNET session = WinHttpOpen(L"voladdin", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    server = WinHttpConnect(session, L"127.0.0.1", atoi(field_of(state, "port")), 0);
    char where[512];
    snprintf(where, sizeof where, "/v1/proof/%s", field_of(state, "challenge"));
    request(L"GET", where, "", "");
    if (!strstr(answer, field_of(state, "proof"))) return printf("FAILED: a stranger has the port\n"), 1;
    ask_all(options[2], options[3], count > 4 ? options[4] : NULL, ask_server);
    return 0;
}
