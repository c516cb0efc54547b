/* SPDX-License-Identifier: MIT */
/*
 * image_cache.h - decoded maps of native images, kept in files: $XDG_CACHE_HOME/hotprobe or
 * ~/.cache/hotprobe.
 *
 * A file there is believed only when it is ours, was written whole, and for an image of the very
 * same device, inode, size and times. Folders that belong to somebody else, or that others may
 * write to, are not used, so root follows nobody's links. Nothing here is needed: without a cache
 * the image is decoded again.
 */
#ifndef HP_IMAGE_CACHE_H
#define HP_IMAGE_CACHE_H

#include "runtime/image/image_map.h"

/** image_cache_get() - the map of image @fd. Return: 0; -ENOENT none, or none to believe; -ENOMEM.
 */
int image_cache_get(int fd, struct image_map *ret);

/** image_cache_put() - keep it. Failure is no matter. Return: 0; -errno. */
int image_cache_put(int fd, const struct image_map *m);

/**
 * image_map_cached() - image_map_read() through the cache.
 * @hit: set to whether the cache had it. Return: as image_map_read().
 */
int image_map_cached(int fd, struct image_map *ret, bool *hit);

#endif
