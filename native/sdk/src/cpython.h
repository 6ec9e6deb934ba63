/* What the walker reads of CPython's own objects, in place and without creating anything: the storage of a str, the
 * digits of an int. The layouts are those of the public headers of CPython 3.10 to 3.14; a change there is a compile
 * error or fails the unit tests on that version. Nothing here raises or runs Python code. */
#ifndef OTLP_FAST_CPYTHON_H
#define OTLP_FAST_CPYTHON_H

#include <Python.h>
#if PY_VERSION_HEX < 0x030B0000
#include <longintrepr.h>
#endif
#include "abi.h"

#define OTLP_FORM_BITS 4

static inline otlp_text otlp_make_text(const void *data, Py_ssize_t length, uintptr_t form)
{
    otlp_text text;
    text.data = data;
    text.meta = ((uintptr_t)length << OTLP_FORM_BITS) | form;
    return text;
}

/* The length in a meta word, in units of its form: 0 of a number. */
static inline size_t otlp_units_of(uintptr_t meta)
{
    return meta >> OTLP_FORM_BITS;
}

/* The storage of a str that is not plain ASCII, or not of exactly the type str. Kept out of line: it is the rare case. */
static otlp_text otlp_wide_text_of(PyObject *string)
{
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(string) < 0) { /* an old-style string that finds no memory: it is left out */
        PyErr_Clear();
        return otlp_make_text(NULL, 0, OTLP_UTF8);
    }
#endif
    uintptr_t form = PyUnicode_IS_ASCII(string) ? OTLP_UTF8 : (uintptr_t)PyUnicode_KIND(string);
    return otlp_make_text(PyUnicode_DATA(string), PyUnicode_GET_LENGTH(string), form);
}

/* The storage of a str (or of a subclass). Not PyUnicode_AsUTF8: that would leave a cached copy in the user's string. */
static inline otlp_text otlp_text_of(PyObject *string)
{
    if (PyUnicode_IS_COMPACT_ASCII(string))
        return otlp_make_text((const PyASCIIObject *)string + 1, PyUnicode_GET_LENGTH(string), OTLP_UTF8);
    return otlp_wide_text_of(string);
}

typedef struct {
    const digit *digits;
    Py_ssize_t count;
    int negative;
} otlp_digits;

static inline otlp_digits otlp_digits_of(PyObject *integer)
{
    otlp_digits found;
    const PyLongObject *value = (const PyLongObject *)integer;
#if PY_VERSION_HEX >= 0x030C0000
    uintptr_t tag = value->long_value.lv_tag;
    found.digits = value->long_value.ob_digit;
    found.count = (Py_ssize_t)(tag >> 3);
    found.negative = (tag & 3) == 2;
#else
    Py_ssize_t size = Py_SIZE(integer);
    found.digits = value->ob_digit;
    found.negative = size < 0;
    found.count = size < 0 ? -size : size;
#endif
    return found;
}

/* The magnitude of an int as up to 128 bits; 0, or -1 where it does not fit. */
static inline int otlp_magnitude(otlp_digits value, uint64_t *high, uint64_t *low)
{
    uint64_t upper = 0, lower = 0;
    if (value.count > (128 + PyLong_SHIFT - 1) / PyLong_SHIFT)
        return -1;
    for (Py_ssize_t index = value.count - 1; index >= 0; index--) {
        if (upper >> (64 - PyLong_SHIFT))
            return -1;
        upper = upper << PyLong_SHIFT | lower >> (64 - PyLong_SHIFT);
        lower = lower << PyLong_SHIFT | value.digits[index];
    }
    *high = upper;
    *low = lower;
    return 0;
}

/* An int (or subclass) as uint64; 0, or -1 where it is negative or too large. */
static inline int otlp_read_uint64(PyObject *integer, uint64_t *out)
{
    otlp_digits value = otlp_digits_of(integer);
    uint64_t high;
    if (value.count <= 1 && !value.negative) { /* most counts */
        *out = value.count ? value.digits[0] : 0;
        return 0;
    }
#if PyLong_SHIFT == 30
    if (value.count == 3 && !value.negative && value.digits[2] < 16) { /* most times */
        *out = (uint64_t)value.digits[2] << 60 | (uint64_t)value.digits[1] << 30 | value.digits[0];
        return 0;
    }
#endif
    if (value.negative || otlp_magnitude(value, &high, out) < 0 || high != 0)
        return -1;
    return 0;
}

/* An int (or subclass) as int64; 0, or -1 where it is out of range. */
static inline int otlp_read_int64(PyObject *integer, int64_t *out)
{
    otlp_digits value = otlp_digits_of(integer);
    uint64_t high, low;
    if (value.count <= 1) {
        int64_t small = value.count ? (int64_t)value.digits[0] : 0;
        *out = value.negative ? -small : small;
        return 0;
    }
    if (otlp_magnitude(value, &high, &low) < 0 || high != 0)
        return -1;
    if (value.negative) {
        if (low > (uint64_t)INT64_MAX + 1)
            return -1;
        *out = (int64_t)(0 - low);
    } else {
        if (low > (uint64_t)INT64_MAX)
            return -1;
        *out = (int64_t)low;
    }
    return 0;
}

static inline void otlp_store_big_endian(uint64_t value, uint8_t *out)
{
    for (int index = 7; index >= 0; index--) {
        out[index] = (uint8_t)value;
        value >>= 8;
    }
}

/* A trace id as its 16 bytes, big-endian; 0, or -1 where it is negative or too large. */
static inline int otlp_read_trace_id(PyObject *integer, uint8_t *out)
{
    otlp_digits value = otlp_digits_of(integer);
    uint64_t high, low;
    if (value.negative)
        return -1;
#if PyLong_SHIFT == 30
    if (value.count == 5 && value.digits[4] < 0x100) { /* most ids, as they are random */
        low = (uint64_t)value.digits[2] << 60 | (uint64_t)value.digits[1] << 30 | value.digits[0];
        high = (uint64_t)value.digits[4] << 56 | (uint64_t)value.digits[3] << 26 | value.digits[2] >> 4;
    } else
#endif
    if (otlp_magnitude(value, &high, &low) < 0)
        return -1;
    otlp_store_big_endian(high, out);
    otlp_store_big_endian(low, out + 8);
    return 0;
}

/* A span id as its 8 bytes, big-endian; 0, or -1 where it is negative or too large. */
static inline int otlp_read_span_id(PyObject *integer, uint8_t *out)
{
    uint64_t value;
    if (otlp_read_uint64(integer, &value) < 0)
        return -1;
    otlp_store_big_endian(value, out);
    return 0;
}

/* A str, int, bool, float, bytes or None of exactly that type, and an int of at most 64 bits, as a scalar; 0, or -1 for
 * everything else. */
static inline int otlp_scalar_of(PyObject *value, otlp_scalar *out)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyUnicode_Type) {
        otlp_text text = otlp_text_of(value);
        out->bits = (uint64_t)(uintptr_t)text.data;
        out->meta = text.meta;
        return 0;
    }
    if (type == &PyLong_Type) {
        out->meta = OTLP_INT;
        return otlp_read_int64(value, (int64_t *)&out->bits);
    }
    if (type == &PyBool_Type) {
        out->bits = value == Py_True;
        out->meta = OTLP_BOOL;
        return 0;
    }
    if (type == &PyFloat_Type) {
        double number = PyFloat_AS_DOUBLE(value);
        memcpy(&out->bits, &number, sizeof number);
        out->meta = OTLP_DOUBLE;
        return 0;
    }
    if (value == Py_None) {
        out->bits = 0;
        out->meta = OTLP_NONE;
        return 0;
    }
    if (type == &PyBytes_Type) {
        out->bits = (uint64_t)(uintptr_t)PyBytes_AS_STRING(value);
        out->meta = ((uintptr_t)PyBytes_GET_SIZE(value) << OTLP_FORM_BITS) | OTLP_BYTES;
        return 0;
    }
    return -1;
}

/* The elements of a list or tuple of at least that length as bytes; 1, or 0 where one is not an int from 0 to 127. The
 * loop has no branches, as it is for the counts of exponential histograms: many, and almost all of them small. */
static inline int otlp_read_small_counts(PyObject *sequence, Py_ssize_t length, uint8_t *out)
{
    PyObject **items = PySequence_Fast_ITEMS(sequence);
    uintptr_t odd = 0;
    for (Py_ssize_t index = 0; index < length; index++) {
        PyObject *item = items[index];
        otlp_digits value = otlp_digits_of(item);
        digit low = value.digits[0] & (digit)-value.count;
        odd |= (uintptr_t)Py_TYPE(item) ^ (uintptr_t)&PyLong_Type;
        odd |= (uintptr_t)value.count >> 1 | (uintptr_t)value.negative | low >> 7;
        out[index] = (uint8_t)low;
    }
    return odd == 0;
}

/* The elements of a list or tuple of at least that length as 64-bit words: as doubles by their bits, or as unsigned
 * integers. Gives how many were read: fewer than `length` where one is not of exactly a builtin type, or out of range. */
static inline Py_ssize_t otlp_read_words(PyObject *sequence, Py_ssize_t length, int as_doubles, uint64_t *out)
{
    PyObject **items = PySequence_Fast_ITEMS(sequence);
    Py_ssize_t index = 0;
    if (as_doubles) {
        for (; index < length && PyFloat_CheckExact(items[index]); index++) {
            double number = PyFloat_AS_DOUBLE(items[index]);
            memcpy(&out[index], &number, sizeof number);
        }
        return index;
    }
    for (; index < length && PyLong_CheckExact(items[index]); index++) {
        otlp_digits value = otlp_digits_of(items[index]);
        if (value.count <= 1 && !value.negative) /* most counts: without a branch on which */
            out[index] = value.digits[0] & (digit)-value.count;
        else if (otlp_read_uint64(items[index], &out[index]) < 0)
            break;
    }
    return index;
}

#endif
