/* In place of the programs that install.cmd starts: writes its command line into C:\c\recorded.txt.

   "-m venv FOLDER" makes FOLDER\Scripts with itself as python.exe and voladdin.exe. Fails where FAIL is in its
   command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

int main(int count, char **given)
{
    static char own[1024], made[1024], there[1024];
    const char *fail = getenv("FAIL"), *names[] = {"python.exe", "voladdin.exe"};
    FILE *file = fopen("C:\\c\\recorded.txt", "a");
    GetModuleFileNameA(NULL, own, sizeof own);
    GetCurrentDirectoryA(sizeof there, there);
    fprintf(file, "%s|%s|%s\n", strrchr(own, '\\') + 1, there, GetCommandLineA());
    fclose(file);
    for (int i = 1; i + 1 < count; i++) {
        if (strcmp(given[i], "venv")) continue;
        CreateDirectoryA(given[i + 1], NULL);
        snprintf(made, sizeof made, "%s\\Scripts", given[i + 1]);
        CreateDirectoryA(made, NULL);
        for (int j = 0; j < 2; j++) {
            snprintf(made, sizeof made, "%s\\Scripts\\%s", given[i + 1], names[j]);
            CopyFileA(own, made, FALSE);
        }
    }
    return fail && *fail && strstr(GetCommandLineA(), fail) ? 1 : 0;
}
