/* CBLAS, the few LAPACK routines in use, and OpenBLAS's kernel switch.

   The distribution's OpenBLAS has no LAPACKE and installs no Fortran LAPACK header, so the prototypes are stated here.
   gfortran passes the length of each CHARACTER argument by value after all others; leaving it out is undefined. */
#ifndef RENE_COPENBLAS_SHIM_H
#define RENE_COPENBLAS_SHIM_H

#include <cblas.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Symmetric eigenproblem: reduction to tridiagonal form, its eigenvalues, its eigenvectors, the way back. */
void dsytrd_(const char *uplo, const int *n, double *a, const int *lda, double *d, double *e, double *tau, double *work,
             const int *lwork, int *info, size_t uplo_length);
void dsterf_(const int *n, double *d, double *e, int *info);
void dstedc_(const char *compz, const int *n, double *d, double *e, double *z, const int *ldz, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info, size_t compz_length);
void dormtr_(const char *side, const char *uplo, const char *trans, const int *m, const int *n, const double *a,
             const int *lda, const double *tau, double *c, const int *ldc, double *work, const int *lwork, int *info,
             size_t side_length, size_t uplo_length, size_t trans_length);

/* Singular values and vectors. */
void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info,
             size_t jobz_length);

/* LQ of a column-major matrix, which is QR of the same buffer read row-major. */
void dgelqf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork,
             int *info);
void dorglq_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau, double *work,
             const int *lwork, int *info);

/* Cholesky. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_length);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
             const int *ldb, int *info, size_t uplo_length);

/* Exported by a DYNAMIC_ARCH build; in no header. Quit followed by init reads OPENBLAS_CORETYPE again. */
void gotoblas_dynamic_init(void);
void gotoblas_dynamic_quit(void);

#ifdef __cplusplus
}
#endif

/* Vector width that processor and operating system support: 3 AVX-512 (F, BW, VL, DQ), 2 AVX2 with FMA, 0 otherwise. */
static inline int rene_vector_level(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq"))
        return 3;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 2;
#endif
    return 0;
}

#endif
