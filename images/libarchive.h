/*
 * libarchive, loaded when an archive is read and not before.
 *
 * It brings libxml2 and ICU with it, and linking them costs every start of minirun 2 ms. So the few functions that
 * we use are a table, filled by dlopen(3) and dlsym(3).
 */
#ifndef IMAGES_LIBARCHIVE_H
#define IMAGES_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"

/* Only what rootfs archives come in: fewer readers of hostile bytes, and none that starts a program or opens files. */
#define LIBARCHIVE_FUNCTIONS(F)             \
	F(read_new)                         \
	F(read_free)                        \
	F(read_open1)                       \
	F(read_set_callback_data)           \
	F(read_set_read_callback)           \
	F(read_set_seek_callback)           \
	F(read_set_skip_callback)           \
	F(read_support_filter_gzip)         \
	F(read_support_filter_bzip2)        \
	F(read_support_filter_xz)           \
	F(read_support_filter_lzma)         \
	F(read_support_filter_lzip)         \
	F(read_support_filter_zstd)         \
	F(read_support_filter_lz4)          \
	F(read_support_filter_compress)     \
	F(read_support_format_raw)          \
	F(read_support_format_empty)        \
	F(read_support_format_tar)          \
	F(read_support_format_cpio)         \
	F(read_support_format_zip_seekable) \
	F(read_next_header)                 \
	F(read_data_block)                  \
	F(format)                           \
	F(format_name)                      \
	F(filter_bytes)                     \
	F(filter_name)                      \
	F(error_string)                     \
	F(set_error)                        \
	F(entry_pathname)                   \
	F(entry_filetype)                   \
	F(entry_perm)                       \
	F(entry_uid)                        \
	F(entry_gid)                        \
	F(entry_size)                       \
	F(entry_size_is_set)                \
	F(entry_mtime)                      \
	F(entry_mtime_nsec)                 \
	F(entry_mtime_is_set)               \
	F(entry_rdevmajor)                  \
	F(entry_rdevminor)                  \
	F(entry_symlink)                    \
	F(entry_hardlink)                   \
	F(entry_is_encrypted)               \
	F(entry_xattr_reset)                \
	F(entry_xattr_next)

/* archive_read_new is .read_new, and so on. */
struct libarchive {
	void *library;
#define LIBARCHIVE_MEMBER(name) __typeof__(archive_##name) *name;
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_MEMBER)
#undef LIBARCHIVE_MEMBER
};

/* Loads the library. ERROR_HOST, naming Debian's package, if it isn't there or lacks a function. */
int libarchive_load(struct libarchive *libarchive, struct error *err);
void libarchive_unload(struct libarchive *libarchive);
static inline void cleanup_libarchive_fn(struct libarchive *libarchive)
{
	libarchive_unload(libarchive);
}
#define cleanup_libarchive __attribute__((cleanup(cleanup_libarchive_fn)))

#endif
