// Compiles HLSL as wgpu does on Windows: with FXC (d3dcompiler_47.dll) and with DXC (dxcompiler.dll), which lie beside this program.
//
//   directx.exe fxc|dxc PROFILE <LIST
//
// LIST has a file a line, whose first line is `// entry NAME`. Prints a line for each that is refused, and how many there were.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

// COM objects by their tables of functions: only what is called here has its type.
typedef struct Object { void **table; } Object;
typedef ULONG(WINAPI *Release)(Object *);
typedef const char *(WINAPI *Pointer)(Object *);
enum { RELEASE = 2, BLOB_POINTER = 3, COMPILE = 3, STATUS = 3, ERRORS = 5 };

typedef HRESULT(WINAPI *D3DCompile)(const void *, SIZE_T, const char *, const void *, void *, const char *, const char *, UINT, UINT,
                                    Object **, Object **);
typedef HRESULT(WINAPI *DxcCreateInstance)(const GUID *, const GUID *, Object **);
typedef struct { const void *text; SIZE_T length; UINT encoding; } Buffer;
typedef HRESULT(WINAPI *Compile)(Object *, const Buffer *, const wchar_t **, UINT, void *, const GUID *, Object **);
typedef HRESULT(WINAPI *Status)(Object *, HRESULT *);
typedef HRESULT(WINAPI *Errors)(Object *, Object **);

static const GUID COMPILER = {0x73e22d93, 0xe6ce, 0x47f3, {0xb5, 0xbf, 0xf0, 0x66, 0x4f, 0x39, 0xc1, 0xb0}};
static const GUID COMPILER_3 = {0x228b4687, 0x5a6a, 0x4730, {0x90, 0x0c, 0x97, 0x02, 0xb2, 0x20, 0x3f, 0x54}};
static const GUID RESULT = {0x58346cda, 0xdde7, 0x4497, {0x94, 0x61, 0x6f, 0x87, 0xaf, 0x5e, 0x06, 0x59}};
enum { UTF8 = 65001, STRICTNESS = 1 << 11 };

static D3DCompile fxc;
static Object *dxc;

static void release(Object *object) {
    if (object) ((Release)object->table[RELEASE])(object);
}

// Whether it was taken; else `why` has the beginning of the compiler's words.
static int compile_fxc(const char *text, size_t length, const char *entry, const char *profile, char *why, size_t size) {
    Object *code = NULL, *errors = NULL;
    HRESULT result = fxc(text, length, NULL, NULL, NULL, entry, profile, STRICTNESS, 0, &code, &errors);
    snprintf(why, size, "%s", errors ? ((Pointer)errors->table[BLOB_POINTER])(errors) : "no message");
    release(code);
    release(errors);
    return SUCCEEDED(result);
}

static int compile_dxc(const char *text, size_t length, const char *entry, const char *profile, char *why, size_t size) {
    wchar_t wide_entry[256], wide_profile[16];
    mbstowcs(wide_entry, entry, 256);
    mbstowcs(wide_profile, profile, 16);
    const wchar_t *options[] = {L"-E", wide_entry, L"-T", wide_profile, L"-HV", L"2018", L"-no-warnings", L"-Ges"};
    Buffer source = {text, length, UTF8};
    Object *result = NULL, *errors = NULL;
    HRESULT status = ((Compile)dxc->table[COMPILE])(dxc, &source, options, 8, NULL, &RESULT, &result);
    if (SUCCEEDED(status)) ((Status)result->table[STATUS])(result, &status);
    if (result) ((Errors)result->table[ERRORS])(result, &errors);
    snprintf(why, size, "%s", errors ? ((Pointer)errors->table[BLOB_POINTER])(errors) : "no message");
    release(errors);
    release(result);
    return SUCCEEDED(status);
}

static char *read(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *length = ftell(file);
    rewind(file);
    char *text = malloc(*length + 1);
    *length = fread(text, 1, *length, file);
    text[*length] = 0;
    fclose(file);
    return text;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    int is_fxc = !strcmp(arguments[1], "fxc");
    HMODULE library = LoadLibraryA(is_fxc ? "d3dcompiler_47.dll" : "dxcompiler.dll");
    if (!library) {
        printf("the compiler cannot be loaded: %lu\n", GetLastError());
        return 2;
    }
    fxc = (D3DCompile)(void *)GetProcAddress(library, "D3DCompile");
    if (!is_fxc) {
        DxcCreateInstance create = (DxcCreateInstance)(void *)GetProcAddress(library, "DxcCreateInstance");
        if (FAILED(create(&COMPILER, &COMPILER_3, &dxc))) return 2;
    }
    int taken = 0, refused = 0;
    char path[1024], entry[256], why[512];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\r\n")] = 0;
        size_t length;
        char *text = read(path, &length);
        if (!text || sscanf(text, "// entry %255s", entry) != 1) {
            printf("%s: cannot be read\n", path);
            return 2;
        }
        if ((is_fxc ? compile_fxc : compile_dxc)(text, length, entry, arguments[2], why, sizeof why)) {
            taken++;
        } else {
            refused++;
            why[strcspn(why, "\r\n")] = 0;
            printf("%s: %s\n", strrchr(path, '/') ? strrchr(path, '/') + 1 : path, why);
        }
        free(text);
        fflush(stdout);
    }
    printf("%d passed, %d failed\n", taken, refused);
    return refused > 0;
}
