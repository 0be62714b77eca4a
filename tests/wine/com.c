/* Asks Python as the add-in's VBA does by COM: com.exe DLL COMMAND-FILE CALLS ANSWERS [REPEATS]

   XLPyDLLActivateAuto of xlwings' DLL starts Python; then python.Str(python.Call(python.Module(MODULE), "answered",
   python.Tuple(call))). CALLS and ANSWERS hold texts in UTF-8, each ended by a form feed. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <oleauto.h>

#define MODULE L"voladdin.hosts.excel.calls"
#define END '\f'

typedef HRESULT(WINAPI *Activate)(VARIANT *result, const char *command, int mode);

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
    if (!file) exit(2);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    char *text = calloc(size + 1, 1);
    rewind(file);
    fread(text, 1, size, file);
    fclose(file);
    return text;
}

static VARIANT text(const wchar_t *s)
{
    VARIANT value;
    VariantInit(&value);
    value.vt = VT_BSTR;
    value.bstrVal = SysAllocString(s);
    return value;
}

/* A method of the COM server; arguments in the order of the call. Ends the program where it fails. */
static VARIANT ask(IDispatch *python, const wchar_t *name, VARIANT *arguments, int count)
{
    LPOLESTR method = (LPOLESTR)name;
    VARIANT reversed[4], result;
    EXCEPINFO exception = {0};
    DISPID id;
    for (int i = 0; i < count; i++) reversed[count - 1 - i] = arguments[i];
    DISPPARAMS parameters = {reversed, NULL, count, 0};
    VariantInit(&result);
    HRESULT status = python->lpVtbl->GetIDsOfNames(python, &IID_NULL, &method, 1, 0, &id);
    if (SUCCEEDED(status))
        status = python->lpVtbl->Invoke(python, id, &IID_NULL, 0, DISPATCH_METHOD | DISPATCH_PROPERTYGET, &parameters,
                                        &result, &exception, NULL);
    if (FAILED(status)) {
        printf("FAILED: %ls: %08lx %ls\n", name, (unsigned long)status, exception.bstrDescription ? exception.bstrDescription : L"");
        exit(1);
    }
    return result;
}

static VARIANT answered(IDispatch *python, const wchar_t *call)
{
    VARIANT module = text(MODULE), given = text(call), found = ask(python, L"Module", &module, 1);
    VARIANT arguments[3] = {found, text(L"answered"), ask(python, L"Tuple", &given, 1)};
    VARIANT value = ask(python, L"Call", arguments, 3), said = ask(python, L"Str", &value, 1);
    for (int i = 0; i < 3; i++) VariantClear(&arguments[i]);
    VariantClear(&module);
    VariantClear(&given);
    VariantClear(&value);
    return said;
}

static void write_text(FILE *file, const wchar_t *answer)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, answer, -1, NULL, 0, NULL, NULL);
    char *bytes = malloc(size);
    WideCharToMultiByte(CP_UTF8, 0, answer, -1, bytes, size, NULL, NULL);
    fputs(bytes, file);
    fputc(END, file);
    free(bytes);
}

int main(int count, char **options)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    HMODULE library = count > 4 ? LoadLibraryA(options[1]) : NULL;
    if (!library) return printf("FAILED: no library, error %lu\n", GetLastError()), 2;
    Activate activate = (Activate)GetProcAddress(library, "XLPyDLLActivateAuto");
    CoInitialize(NULL);
    VARIANT server;
    VariantInit(&server);
    double start = now();
    HRESULT status = activate(&server, read_file(options[2]), 1);
    printf("activated %08lx in %.2f s\n", (unsigned long)status, now() - start);
    if (status) return printf("no Python: %ls\n", server.vt == VT_BSTR ? server.bstrVal : L""), 1;
    char *calls = read_file(options[3]);
    FILE *answers = fopen(options[4], "wb");
    int repeats = count > 5 ? atoi(options[5]) : 1;
    for (char *next; (next = strchr(calls, END)); calls = next + 1) {
        *next = 0;
        int size = MultiByteToWideChar(CP_UTF8, 0, calls, -1, NULL, 0);
        wchar_t *wide = malloc(size * sizeof(wchar_t));
        MultiByteToWideChar(CP_UTF8, 0, calls, -1, wide, size);
        start = now();
        for (int i = 0; i < repeats; i++) {
            VARIANT said = answered(server.pdispVal, wide);
            if (i == 0) write_text(answers, said.bstrVal);
            VariantClear(&said);
        }
        printf("%.9s: %.2f ms\n", calls, 1e3 * (now() - start) / repeats);
        free(wide);
    }
    fclose(answers);
    return 0;
}
