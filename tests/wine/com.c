/* Asks Python as the add-in's VBA does by COM: com.exe DLL COMMAND-FILE CALLS ANSWERS [REPEATS]

   XLPyDLLActivateAuto of xlwings' DLL starts Python; then python.Str(python.Call(python.Module(MODULE), "answered",
   python.Tuple(call))). */
#include "ask.h"
#include <oleauto.h>

#define MODULE L"voladdin.hosts.excel.calls"

typedef HRESULT(WINAPI *Activate)(VARIANT *result, const char *command, int mode);

static VARIANT server;

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

/* The answer in UTF-8, to a call in it. */
static const char *ask_python(const char *call)
{
    static char *bytes;
    int size = MultiByteToWideChar(CP_UTF8, 0, call, -1, NULL, 0);
    wchar_t *wide = malloc(size * sizeof(wchar_t));
    MultiByteToWideChar(CP_UTF8, 0, call, -1, wide, size);
    VARIANT said = answered(server.pdispVal, wide);
    size = WideCharToMultiByte(CP_UTF8, 0, said.bstrVal, -1, NULL, 0, NULL, NULL);
    bytes = realloc(bytes, size);
    WideCharToMultiByte(CP_UTF8, 0, said.bstrVal, -1, bytes, size, NULL, NULL);
    VariantClear(&said);
    free(wide);
    return bytes;
}

int main(int count, char **options)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    HMODULE library = count > 4 ? LoadLibraryA(options[1]) : NULL;
    if (!library) return printf("FAILED: no library, error %lu\n", GetLastError()), 2;
    Activate activate = (Activate)GetProcAddress(library, "XLPyDLLActivateAuto");
    CoInitialize(NULL);
    VariantInit(&server);
    double start = now();
    HRESULT status = activate(&server, read_file(options[2]), 1);
    printf("activated %08lx in %.2f s\n", (unsigned long)status, now() - start);
    if (status) return printf("no Python: %ls\n", server.vt == VT_BSTR ? server.bstrVal : L""), 1;
    ask_all(options[3], options[4], count > 5 ? options[5] : NULL, ask_python);
    return 0;
}
