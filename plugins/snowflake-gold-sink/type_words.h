/* A column's type as a database writes it. */
#ifndef GOLD_TYPE_WORDS_H
#define GOLD_TYPE_WORDS_H

/* "numeric(12,2)", "timestamp(3) with time zone" → the words in lower case and the numbers in parentheses, -1 where
 * absent. */
typedef struct TypeText {
    char words[64];
    int first;
    int second;
} TypeText;

TypeText type_text(const char *type);

#endif
