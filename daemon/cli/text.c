// SPDX-License-Identifier: MIT
/* text.c - text of a target's on somebody's terminal. See cli.h. */
#include "cli/cli.h"

/* U+0080 to U+009F, two bytes in UTF-8, are commands to a terminal too. */
size_t print_text(FILE *out, const char *s, size_t len, char quote)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)s[i];
		unsigned char next = (unsigned char)(i + 1 < len ? s[i + 1] : 0);
		int n = 0;

		if (quote && (ch == (unsigned char)quote || ch == '\\')) {
			n = fprintf(out, "\\%c", ch);
		} else if (ch == '\n') {
			n = fprintf(out, "\\n");
		} else if (ch < 0x20 || ch == 0x7f) {
			n = fprintf(out, "\\x%02x", ch);
		} else if (ch == 0xc2 && next < 0xa0) {
			n = fprintf(out, "\\x%02x", next);
			i++;
		} else {
			fputc(ch, out);
			n = (ch & 0xc0) != 0x80; /* the first byte of a character */
		}
		columns += n > 0 ? (size_t)n : 0;
	}
	return columns;
}

void print_column(FILE *out, const char *s, size_t width)
{
	for (size_t n = print_text(out, s, strlen(s), 0); n < width; n++)
		fputc(' ', out);
}
