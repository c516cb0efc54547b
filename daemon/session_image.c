// SPDX-License-Identifier: MIT
#include "session_kind.h"
const struct session_kind session_image;
