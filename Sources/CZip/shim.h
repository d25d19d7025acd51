// What is used of libzip. Declared here and not by <zip.h>: that includes headers of the C library, and Swift would take
// what they declare for this module's.
#ifndef RENE_CZIP_H
#define RENE_CZIP_H

typedef struct zip zip_t;
typedef struct zip_file zip_file_t;

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

enum { RENE_ZIP_STAT_NAME = 1, RENE_ZIP_STAT_SIZE = 4, RENE_ZIP_STAT_COMP_SIZE = 8 };

extern zip_t *zip_fdopen(int descriptor, int flags, int *error);
extern void zip_discard(zip_t *archive);
extern long zip_get_num_entries(zip_t *archive, unsigned int flags);
extern int zip_stat_index(zip_t *archive, unsigned long index, unsigned int flags, zip_stat_t *status);
extern zip_file_t *zip_fopen_index(zip_t *archive, unsigned long index, unsigned int flags);
extern long zip_fread(zip_file_t *file, void *buffer, unsigned long count);
extern int zip_fclose(zip_file_t *file);

#endif
