/* The compiled engine as a Python module: buffers in, buffers out, no arithmetic here.
 *
 * lenet5.engine checks and converts the arrays; what is checked again here is only what memory safety needs:
 * every buffer's length. The interpreter's lock is released while the engine works.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <string.h>

#include "engine.h"
#include "pool.h"

static const struct lenet5_engine *const ENGINES[] = {
#ifdef LENET5_X86
    &lenet5_engine_avx512,
    &lenet5_engine_avx2,
#endif
    &lenet5_engine_baseline,
};

enum { ENGINES_BUILT = sizeof ENGINES / sizeof *ENGINES, CODE = 84 * 4 /* bytes */ };

static int runs_here(const struct lenet5_engine *engine)
{
#ifdef LENET5_X86
    __builtin_cpu_init();
    if (engine == &lenet5_engine_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma");
    if (engine == &lenet5_engine_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    (void)engine;
    return 1;
}

/* The variant of that name, or for "" the fastest. */
static const struct lenet5_engine *engine_named(const char *name)
{
    for (int i = 0; i < ENGINES_BUILT; i++)
        if ((!*name || strcmp(ENGINES[i]->name, name) == 0) && runs_here(ENGINES[i]))
            return ENGINES[i];
    PyErr_Format(PyExc_ValueError, "no engine variant %s runs on this machine", name);
    return NULL;
}

/* Fill the network from its buffers; -1 with an exception where a length is wrong. */
static int network_of(struct lenet5_network *network, const Py_buffer *parameters, const Py_buffer *codes)
{
    if (parameters->len != 60000 * 4 && parameters->len != 61706 * 4) {
        PyErr_SetString(PyExc_ValueError, "the parameters of no network");
        return -1;
    }
    network->concise = parameters->len == 61706 * 4;
    network->parameters = parameters->buf;
    network->codes = codes->buf;
    network->classes = (int)(codes->len / CODE);
    if (codes->len % CODE || codes->len < LENET5_LEAST_CLASSES * CODE || codes->len > LENET5_MOST_CLASSES * CODE ||
        (network->concise && network->classes != 10)) {
        PyErr_SetString(PyExc_ValueError, "codes are (10 to 96, 84) float32, (10, 84) for the concise network");
        return -1;
    }
    return 0;
}

static int image_count(const struct lenet5_network *network, const Py_buffer *images, size_t *n)
{
    const Py_ssize_t size = (network->concise ? 28 * 28 : 32 * 32) * 4;
    *n = (size_t)(images->len / size);
    if (images->len % size == 0)
        return 0;
    PyErr_SetString(PyExc_ValueError, "images of the wrong size");
    return -1;
}

static int has_length(const Py_buffer *buffer, size_t bytes)
{
    if ((size_t)buffer->len == bytes)
        return 1;
    PyErr_Format(PyExc_ValueError, "a buffer of %zd bytes where %zu are needed", buffer->len, bytes);
    return 0;
}

/* The end of every call: release the buffers, and None or the exception. */
static PyObject *finish(Py_buffer *buffers, int count, int status)
{
    for (int i = 0; i < count; i++)
        PyBuffer_Release(&buffers[i]);
    if (PyErr_Occurred())
        return NULL;
    if (status < 0)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *forward(PyObject *self, PyObject *args)
{
    Py_buffer b[4]; /* parameters, codes, images, outputs */
    const char *variant;
    int threads, status = 0;
    size_t n;
    struct lenet5_network network;
    (void)self;
    if (!PyArg_ParseTuple(args, "sy*y*y*iw*", &variant, &b[0], &b[1], &b[2], &threads, &b[3]))
        return NULL;
    const struct lenet5_engine *engine = engine_named(variant);
    if (engine && network_of(&network, &b[0], &b[1]) == 0 && image_count(&network, &b[2], &n) == 0 &&
        has_length(&b[3], n * (size_t)network.classes * 4)) {
        Py_BEGIN_ALLOW_THREADS
        status = engine->forward(&network, b[2].buf, n, threads < 1 ? 1 : threads, b[3].buf);
        Py_END_ALLOW_THREADS
    }
    return finish(b, 4, status);
}

static PyObject *feature_maps(PyObject *self, PyObject *args)
{
    size_t units[7] = {6 * 784, 6 * 196, 16 * 100, 16 * 25, 120, 84, 0};
    Py_buffer b[10]; /* parameters, codes, images, then c1 … output */
    const char *variant;
    int status = 0;
    size_t n;
    struct lenet5_network network;
    (void)self;
    if (!PyArg_ParseTuple(args, "sy*y*y*w*w*w*w*w*w*w*", &variant, &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &b[6],
                          &b[7], &b[8], &b[9]))
        return NULL;
    const struct lenet5_engine *engine = engine_named(variant);
    int good = engine && network_of(&network, &b[0], &b[1]) == 0 && image_count(&network, &b[2], &n) == 0;
    units[6] = good ? (size_t)network.classes : 0;
    for (int i = 0; good && i < 7; i++)
        good = has_length(&b[3 + i], n * units[i] * 4);
    if (good) {
        const struct lenet5_maps maps = {b[3].buf, b[4].buf, b[5].buf, b[6].buf, b[7].buf, b[8].buf, b[9].buf};
        Py_BEGIN_ALLOW_THREADS
        status = engine->feature_maps(&network, b[2].buf, n, &maps);
        Py_END_ALLOW_THREADS
    }
    return finish(b, 10, status);
}

/* Labels, a byte each, or targets, a float for each class and one for rubbish. */
static int desired_of(struct lenet5_desired *desired, const Py_buffer *b, size_t n,
                      const struct lenet5_network *network, const struct lenet5_criterion *criterion)
{
    const uint8_t *label = b->buf;
    const int rubbish = criterion->discriminative && criterion->j < INFINITY;
    desired->labels = label;
    desired->targets = NULL;
    if (n && (size_t)b->len == n * (size_t)(network->classes + 1) * sizeof(float)) {
        desired->targets = b->buf;
        return 1;
    }
    if (!has_length(b, n))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (label[i] >= network->classes && !(rubbish && label[i] == 255)) {
            PyErr_Format(PyExc_ValueError, "a label %d", (int)label[i]);
            return 0;
        }
    return 1;
}

static PyObject *gradient(PyObject *self, PyObject *args)
{
    Py_buffer b[5]; /* parameters, codes, images, labels or targets, gradient */
    const char *variant;
    int threads, second, status = 0;
    size_t n;
    double loss = 0;
    struct lenet5_network network;
    struct lenet5_criterion criterion;
    struct lenet5_desired desired;
    (void)self;
    if (!PyArg_ParseTuple(args, "sy*y*y*y*pddipw*", &variant, &b[0], &b[1], &b[2], &b[3], &criterion.discriminative,
                          &criterion.j, &criterion.temperature, &threads, &second, &b[4]))
        return NULL;
    const struct lenet5_engine *engine = engine_named(variant);
    if (engine && network_of(&network, &b[0], &b[1]) == 0 && image_count(&network, &b[2], &n) == 0 &&
        desired_of(&desired, &b[3], n, &network, &criterion) && has_length(&b[4], (size_t)b[0].len)) {
        if (n == 0)
            PyErr_SetString(PyExc_ValueError, "no images");
        else {
            Py_BEGIN_ALLOW_THREADS
            status = engine->gradient(&network, &criterion, b[2].buf, &desired, n, threads < 1 ? 1 : threads, second,
                                      &loss, b[4].buf);
            Py_END_ALLOW_THREADS
            loss /= (double)n;
        }
    }
    PyObject *none = finish(b, 5, status);
    if (!none)
        return NULL;
    Py_DECREF(none);
    return PyFloat_FromDouble(loss);
}

static PyObject *distort(PyObject *self, PyObject *args)
{
    Py_buffer b[6]; /* images, matrices, noise, smoothing, strokes (these three may be empty), out */
    const char *variant;
    int threads;
    struct lenet5_distortion work = {0};
    (void)self;
    if (!PyArg_ParseTuple(args, "sy*y*y*y*fy*ffiiw*", &variant, &b[0], &b[1], &b[2], &b[3], &work.elastic, &b[4],
                          &work.scale, &work.offset, &work.frame, &threads, &b[5]))
        return NULL;
    const struct lenet5_engine *engine = engine_named(variant);
    work.frame = work.frame < 0 ? 0 : work.frame > 100 ? 100 : work.frame;
    const size_t size = 4 * (size_t)(28 + 2 * work.frame) * (size_t)(28 + 2 * work.frame);
    const size_t n = work.n = (size_t)b[5].len / size;
    const size_t wanted[6] = {n * 784, n * 6 * 4, n * 128 * 4, 8 * 28 * 4, n * 4, n * size};
    int good = engine != NULL;
    for (int i = 0; good && i < 6; i++)
        good = (b[i].len == 0 && i > 1 && i < 5) || has_length(&b[i], wanted[i]);
    if (good && b[2].len && !b[3].len) {
        PyErr_SetString(PyExc_ValueError, "noise needs smoothing");
        good = 0;
    }
    if (good) {
        work.images = b[0].buf;
        work.matrices = b[1].buf;
        work.noise = b[2].len ? b[2].buf : NULL;
        work.smoothing = b[3].buf;
        work.strokes = b[4].len ? b[4].buf : NULL;
        work.out = b[5].buf;
        Py_BEGIN_ALLOW_THREADS
        engine->distort(&work, threads < 1 ? 1 : threads);
        Py_END_ALLOW_THREADS
    }
    return finish(b, 6, 0);
}

static PyObject *adam(PyObject *self, PyObject *args)
{
    Py_buffer b[4]; /* parameters, mean, square, gradient */
    const char *variant;
    struct lenet5_adam work;
    (void)self;
    if (!PyArg_ParseTuple(args, "sw*w*w*y*fffff", &variant, &b[0], &b[1], &b[2], &b[3], &work.forget_mean,
                          &work.forget_square, &work.least, &work.rate, &work.keep))
        return NULL;
    const struct lenet5_engine *engine = engine_named(variant);
    int good = engine != NULL;
    for (int i = 1; good && i < 4; i++)
        good = has_length(&b[i], (size_t)b[0].len);
    if (good) {
        work.parameters = b[0].buf, work.mean = b[1].buf, work.square = b[2].buf, work.gradient = b[3].buf;
        Py_BEGIN_ALLOW_THREADS
        engine->adam(&work, (size_t)b[0].len / sizeof(float));
        Py_END_ALLOW_THREADS
    }
    return finish(b, 4, 0);
}

static PyObject *variants(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    PyObject *names = PyList_New(0);
    for (int i = 0; names && i < ENGINES_BUILT; i++) {
        if (!runs_here(ENGINES[i]))
            continue;
        PyObject *name = PyUnicode_FromString(ENGINES[i]->name);
        if (!name || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyMethodDef methods[] = {
    {"forward", forward, METH_VARARGS, "forward(variant, parameters, codes, images, threads, outputs)"},
    {"feature_maps", feature_maps, METH_VARARGS, "feature_maps(variant, parameters, codes, images, c1, …, output)"},
    {"gradient", gradient, METH_VARARGS,
     "gradient(variant, parameters, codes, images, labels or targets, discriminative, j, temperature, threads, second, "
     "gradient) -> mean loss"},
    {"distort", distort, METH_VARARGS,
     "distort(variant, images, matrices, noise, smoothing, elastic, strokes, scale, offset, frame, threads, out)"},
    {"adam", adam, METH_VARARGS,
     "adam(variant, parameters, mean, square, gradient, forget_mean, forget_square, least, rate, keep)"},
    {"variants", variants, METH_NOARGS, "variants() -> the instruction sets that run here, the fastest first"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_engine", "LeNet-5 compiled; lenet5.engine is its interface.", 0, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__engine(void)
{
    static int started; /* forks are looked after once, however often the module is imported */
    if (!started && lenet5_pool_start() < 0)
        return PyErr_NoMemory();
    if (!started)
        Py_AtExit(lenet5_pool_stop);
    started = 1;
    return PyModule_Create(&definition);
}
