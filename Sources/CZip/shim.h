// What is used of libzip. Declared here and not by <zip.h>: that includes headers of the C library, and Swift would take
// what they declare for this module's.
#ifndef RENE_CZIP_H
#define RENE_CZIP_H

typedef struct zip zip_t;
typedef struct zip_file zip_file_t;
typedef struct zip_source zip_source_t;

// The layout of `struct zip_stat`, part of libzip's binary interface since 1.0.
typedef struct zip_stat {
    unsigned long valid;
    const char *name;
    unsigned long index;
    unsigned long size;
    unsigned long comp_size;
    long mtime;
    unsigned int crc;
    unsigned short comp_method;
    unsigned short encryption_method;
    unsigned int flags;
} zip_stat_t;

// The layout of `struct zip_error`.
typedef struct zip_error {
    int zip_err;
    int sys_err;
    char *str;
} zip_error_t;

enum { RENE_ZIP_STAT_NAME = 1, RENE_ZIP_STAT_SIZE = 4, RENE_ZIP_STAT_COMP_SIZE = 8 };
enum { RENE_ZIP_CREATE = 1, RENE_ZIP_EXCLUSIVE = 2, RENE_ZIP_TRUNCATE = 8 };
enum { RENE_ZIP_NAME_UTF_8 = 2048, RENE_ZIP_STORE = 0, RENE_ZIP_ERROR_EXISTS = 10 };

extern zip_t *zip_fdopen(int descriptor, int flags, int *error);
extern void zip_discard(zip_t *archive);
extern long zip_get_num_entries(zip_t *archive, unsigned int flags);
extern int zip_stat_index(zip_t *archive, unsigned long index, unsigned int flags, zip_stat_t *status);
extern zip_file_t *zip_fopen_index(zip_t *archive, unsigned long index, unsigned int flags);
extern long zip_fread(zip_file_t *file, void *buffer, unsigned long count);
extern int zip_fclose(zip_file_t *file);

extern zip_t *zip_open(const char *path, int flags, int *error);
extern int zip_close(zip_t *archive);
extern zip_error_t *zip_get_error(zip_t *archive);
extern zip_source_t *zip_source_buffer(zip_t *archive, const void *bytes, unsigned long count, int frees);
extern void zip_source_free(zip_source_t *source);
extern long zip_file_add(zip_t *archive, const char *name, zip_source_t *source, unsigned int flags);
extern int zip_set_file_compression(zip_t *archive, unsigned long index, int method, unsigned int flags);
extern int zip_file_set_mtime(zip_t *archive, unsigned long index, long time, unsigned int flags);

#endif
