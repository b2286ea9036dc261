// A V4L2 camera that exists only inside one process: loaded with LD_PRELOAD, it answers for /dev/videoN, so that the
// real capture code (v4l, nokhwa) runs unmodified where no camera is plugged in.
//
// What it plays is said by environment variables:
//   VCAM_MODES      FOURCC:WxH:NUM/DEN:FILE[,…]  a mode each, NUM/DEN seconds a frame. A FILE holds frames, each behind its
//                   length (u32, little-endian); the frame with sequence number s is the (s mod count)th of the file.
//   VCAM_NAME       the card's name                      VCAM_BUSY=1    as if another program streamed
//   VCAM_DROP=N     every Nth frame is lost              VCAM_HALF=N    every Nth frame is flagged and only half written
//   VCAM_STALL=N    silent behind N frames, until it is opened again; with VCAM_STALL_ALWAYS=1 each time
//   VCAM_UNPLUG=N   gone behind N frames                 VCAM_REPLUG_MS=M  back after M ms (once) …
//   VCAM_REPLUG_NODE=K  … as /dev/videoK                 VCAM_CLOCKLESS=1  the driver does not say which clock it stamps with
//   VCAM_STEPWISE=1 sizes and rates are listed as ranges VCAM_LOCKSTEP=1   deliver whenever a buffer is queued, at once
//
// Two nodes exist, as uvcvideo makes them: N for pictures, N+1 for metadata. The descriptor handed out is the read end of
// a pipe that holds one byte exactly while poll() on a real camera would return, so poll, select and epoll need no
// pretending; buffers lie in a memfd, so mmap needs little.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_BUFFERS 32
#define MAX_MODES 16
#define MAX_FDS 4096
#define COUNT(array) (sizeof(array) / sizeof *(array))

// ------------------------------------------------------------------------------------------------ the real functions

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static int (*real_ioctl)(int, unsigned long, ...);
static long (*real_syscall)(long, ...);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static ssize_t (*real_readlink)(const char *, char *, size_t);
static struct dirent64 *(*real_readdir)(DIR *);

// ---------------------------------------------------------------------------------------------------------- the modes

struct mode {
    uint32_t fourcc, width, height, interval_num, interval_den;
    const unsigned char **frames;
    uint32_t *lengths;
    uint32_t count, largest;
};
static struct mode modes[MAX_MODES];
static int mode_count;

static long knob(const char *name) {
    const char *value = getenv(name);
    return value ? atol(value) : 0;
}

static const char *card(void) {
    const char *name = getenv("VCAM_NAME");
    return name ? name : "Virtual Camera";
}

static double monotonic(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void load_frames(struct mode *m, const char *path) {
    int fd = real_open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) {
        fprintf(stderr, "vcam: %s: %s\n", path, strerror(errno));
        abort();
    }
    const unsigned char *data = real_mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0), *end = data + st.st_size;
    real_close(fd);
    for (const unsigned char *at = data; at + 4 <= end;) {
        uint32_t length = at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
        m->frames = realloc(m->frames, (m->count + 1) * sizeof *m->frames);
        m->lengths = realloc(m->lengths, (m->count + 1) * sizeof *m->lengths);
        m->frames[m->count] = at + 4;
        m->lengths[m->count++] = length;
        if (length > m->largest) m->largest = length;
        at += 4 + length;
    }
}

__attribute__((constructor)) static void start(void) {
    real_open = dlsym(RTLD_NEXT, "open");
    real_openat = dlsym(RTLD_NEXT, "openat");
    real_close = dlsym(RTLD_NEXT, "close");
    real_ioctl = dlsym(RTLD_NEXT, "ioctl");
    real_syscall = dlsym(RTLD_NEXT, "syscall");
    real_mmap = dlsym(RTLD_NEXT, "mmap");
    real_readlink = dlsym(RTLD_NEXT, "readlink");
    real_readdir = dlsym(RTLD_NEXT, "readdir64");
    char *list = strdup(getenv("VCAM_MODES") ? getenv("VCAM_MODES") : ""), *save;
    for (char *item = strtok_r(list, ",", &save); item && mode_count < MAX_MODES; item = strtok_r(NULL, ",", &save)) {
        struct mode *m = &modes[mode_count++];
        char code[5], path[1024];
        if (sscanf(item, "%4c:%ux%u:%u/%u:%1023s", code, &m->width, &m->height, &m->interval_num, &m->interval_den, path) != 6) {
            fprintf(stderr, "vcam: VCAM_MODES: `%s` is no mode\n", item);
            abort();
        }
        m->fourcc = v4l2_fourcc(code[0], code[1], code[2], code[3]);
        load_frames(m, path);
    }
    free(list);
}

// The index-th entry of a listing in which entries count as one when they agree up to `depth`: 0 the format, 1 and the
// size, 2 and the rate; the levels above must be those of `like`.
static struct mode *nth(uint32_t index, int depth, struct mode like) {
    for (int i = 0; i < mode_count; i++) {
        struct mode *m = &modes[i];
        if (depth > 0 && m->fourcc != like.fourcc) continue;
        if (depth > 1 && (m->width != like.width || m->height != like.height)) continue;
        int is_repeated = 0;
        for (struct mode *o = modes; o < m; o++)
            is_repeated |= o->fourcc == m->fourcc && (depth < 1 || (o->width == m->width && o->height == m->height)) &&
                           (depth < 2 || (o->interval_num == m->interval_num && o->interval_den == m->interval_den));
        if (!is_repeated && !index--) return m;
    }
    return NULL;
}

static double seconds(const struct mode *m) {
    return (double)m->interval_num / m->interval_den;
}

// As uvcvideo: the format first, then the size, then the rate.
static struct mode *nearest(uint32_t fourcc, uint32_t width, uint32_t height, double interval) {
    struct mode *best = modes;
    double least = 1e300;
    for (struct mode *m = modes; m < modes + mode_count; m++) {
        double size = abs((int)m->width - (int)width) + abs((int)m->height - (int)height);
        double cost = (m->fourcc != fourcc) * 1e12 + size * 1e4 + (seconds(m) > interval ? seconds(m) - interval : interval - seconds(m));
        if (cost < least) least = cost, best = m;
    }
    return best;
}

// --------------------------------------------------------------------------------------------------------- the camera

struct handle {
    int fd, lamp, is_lit, is_meta, is_gone, is_streaming, memory;
    unsigned char *map;
    uint32_t buffer_count, queued_count, done_count, queued[MAX_BUFFERS], done[MAX_BUFFERS];
    struct v4l2_buffer buffers[MAX_BUFFERS];
    pthread_t producer;
    long delivered;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct handle *handles[MAX_FDS], *owner;
static struct mode *current = modes;
static int node, was_unplugged, was_stalled;
static double gone_at = -1;
static uint32_t sequence;

static struct control {
    uint32_t id, type;
    const char *name;
    int minimum, maximum, value, automatic_id, automatic_off;
} controls[] = {
    {V4L2_CID_AUTO_WHITE_BALANCE, V4L2_CTRL_TYPE_BOOLEAN, "White Balance, Automatic", 0, 1, 1, 0, 0},
    {V4L2_CID_WHITE_BALANCE_TEMPERATURE, V4L2_CTRL_TYPE_INTEGER, "White Balance Temperature", 2800, 6500, 4600, V4L2_CID_AUTO_WHITE_BALANCE, 0},
    {V4L2_CID_EXPOSURE_AUTO, V4L2_CTRL_TYPE_MENU, "Auto Exposure", 0, 3, 3, 0, 0},
    {V4L2_CID_EXPOSURE_ABSOLUTE, V4L2_CTRL_TYPE_INTEGER, "Exposure Time, Absolute", 3, 2047, 250, V4L2_CID_EXPOSURE_AUTO, 1},
};

static struct control *control(uint32_t id) {
    for (unsigned i = 0; i < COUNT(controls); i++)
        if (controls[i].id == id) return &controls[i];
    return NULL;
}

// The first of the two nodes, or -1 while unplugged.
static int present(void) {
    if (!mode_count) return -1;
    if (gone_at < 0) return node;
    if (!knob("VCAM_REPLUG_MS") || monotonic() - gone_at < knob("VCAM_REPLUG_MS") / 1e3) return -1;
    gone_at = -1;
    return node = knob("VCAM_REPLUG_NODE");
}

// poll() returns on a picture, on an unplugged camera, and (as an error) while nothing streams.
static void update_lamp(struct handle *h) {
    int should = h->done_count || h->is_gone || !h->is_streaming;
    char byte = 0;
    if (should != h->is_lit && (should ? write(h->lamp, &byte, 1) : read(h->fd, &byte, 1)) == 1) h->is_lit = should;
}

// Plays one sensor frame; the lock is held. What finds no buffer is lost, and its number with it.
static void play(struct handle *h, double captured_at) {
    long drop = knob("VCAM_DROP"), half = knob("VCAM_HALF"), stall = knob("VCAM_STALL"), unplug = knob("VCAM_UNPLUG");
    if (unplug && !was_unplugged && h->delivered >= unplug) {
        was_unplugged = h->is_gone = 1;
        gone_at = monotonic();
        return;
    }
    if (stall && h->delivered >= stall && (!was_stalled || knob("VCAM_STALL_ALWAYS"))) return;
    uint32_t s = sequence++;
    if ((drop && s % drop == drop - 1) || !h->queued_count) return;
    struct v4l2_buffer *b = &h->buffers[h->queued[0]];
    memmove(h->queued, h->queued + 1, --h->queued_count * sizeof *h->queued);
    uint32_t frame = s % current->count, length = current->lengths[frame];
    if (length > b->length) length = b->length;
    b->flags = (b->flags & ~(V4L2_BUF_FLAG_QUEUED | V4L2_BUF_FLAG_ERROR)) | V4L2_BUF_FLAG_DONE;
    if (half && s % half == half - 1) length /= 2, b->flags |= V4L2_BUF_FLAG_ERROR;
    memcpy(h->map + b->m.offset, current->frames[frame], length);
    b->bytesused = length;
    b->sequence = s;
    b->timestamp.tv_sec = captured_at;
    b->timestamp.tv_usec = (captured_at - (long)captured_at) * 1e6;
    h->done[h->done_count++] = b->index;
    h->delivered++;
}

static void *produce(void *argument) {
    struct handle *h = argument;
    double began_at = monotonic();
    for (long k = 1;; k++) {
        double due = began_at + k * seconds(current);
        struct timespec t = {.tv_sec = due, .tv_nsec = (due - (long)due) * 1e9};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
        pthread_mutex_lock(&lock);
        int goes_on = h->is_streaming && !h->is_gone;
        if (goes_on) play(h, due);
        update_lamp(h);
        pthread_mutex_unlock(&lock);
        if (!goes_on) return NULL;
    }
}

static void play_in_step(struct handle *h) {
    uint32_t before;
    do {
        before = sequence;
        if (h->is_streaming && h->queued_count && !h->is_gone) play(h, monotonic());
    } while (sequence != before && h->queued_count);
}

static void stop_streaming(struct handle *h) {
    if (h->is_streaming) {
        h->is_streaming = 0;
        if (knob("VCAM_STALL") && h->delivered >= knob("VCAM_STALL")) was_stalled = 1;
        if (!knob("VCAM_LOCKSTEP")) {
            pthread_mutex_unlock(&lock);
            pthread_join(h->producer, NULL);
            pthread_mutex_lock(&lock);
        }
    }
    h->queued_count = h->done_count = 0;
    for (uint32_t i = 0; i < h->buffer_count; i++) h->buffers[i].flags &= ~(V4L2_BUF_FLAG_QUEUED | V4L2_BUF_FLAG_DONE);
    update_lamp(h);
}

static size_t buffer_step(void) {
    size_t size = current->fourcc == V4L2_PIX_FMT_MJPEG ? current->width * current->height * 2u : current->largest;
    if (size < current->largest) size = current->largest;
    return (size + 4095) & ~(size_t)4095;
}

static void free_buffers(struct handle *h) {
    stop_streaming(h);
    if (h->map) munmap(h->map, MAX_BUFFERS * (size_t)h->buffers[0].length);
    if (h->memory >= 0) real_close(h->memory);
    h->map = NULL, h->memory = -1, h->buffer_count = 0;
    if (owner == h) owner = NULL;
}

static int make_buffers(struct handle *h, uint32_t count) {
    size_t step = buffer_step();
    h->memory = memfd_create("vcam", MFD_CLOEXEC);
    if (h->memory < 0 || ftruncate(h->memory, MAX_BUFFERS * step)) return -ENOMEM;
    h->map = real_mmap(NULL, MAX_BUFFERS * step, PROT_READ | PROT_WRITE, MAP_SHARED, h->memory, 0);
    uint32_t clock = knob("VCAM_CLOCKLESS") ? V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN : V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    for (uint32_t i = 0; i < count; i++)
        h->buffers[i] = (struct v4l2_buffer){.index = i, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP,
            .field = V4L2_FIELD_NONE, .length = step, .m.offset = i * step, .flags = clock | V4L2_BUF_FLAG_TSTAMP_SRC_SOE};
    h->buffer_count = count;
    owner = h;
    return 0;
}

// ------------------------------------------------------------------------------------------------------------- ioctls

static void describe_format(struct v4l2_pix_format *p) {
    memset(p, 0, sizeof *p);
    p->width = current->width, p->height = current->height, p->pixelformat = current->fourcc, p->field = V4L2_FIELD_NONE;
    p->sizeimage = buffer_step(), p->colorspace = V4L2_COLORSPACE_SRGB;
    if (current->fourcc == V4L2_PIX_FMT_YUYV) p->bytesperline = current->width * 2;
    if (current->fourcc == V4L2_PIX_FMT_GREY || current->fourcc == V4L2_PIX_FMT_NV12) p->bytesperline = current->width;
}

static int list_sizes(struct v4l2_frmsizeenum *p) {
    struct mode *m = nth(p->index, 1, (struct mode){.fourcc = p->pixel_format});
    if (!m) return -EINVAL;
    if (knob("VCAM_STEPWISE")) {
        if (p->index) return -EINVAL;
        p->type = V4L2_FRMSIZE_TYPE_STEPWISE;
        p->stepwise = (struct v4l2_frmsize_stepwise){160, 1280, 16, 120, 960, 8};
        return 0;
    }
    p->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    p->discrete.width = m->width, p->discrete.height = m->height;
    return 0;
}

static int list_intervals(struct v4l2_frmivalenum *p) {
    if (knob("VCAM_STEPWISE")) {
        if (p->index) return -EINVAL;
        p->type = V4L2_FRMIVAL_TYPE_STEPWISE;
        p->stepwise = (struct v4l2_frmival_stepwise){{1, 60}, {1, 5}, {1, 1000}};
        return 0;
    }
    struct mode *m = nth(p->index, 2, (struct mode){.fourcc = p->pixel_format, .width = p->width, .height = p->height});
    if (!m) return -EINVAL;
    p->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    p->discrete.numerator = m->interval_num, p->discrete.denominator = m->interval_den;
    return 0;
}

static int set_format(struct handle *h, struct v4l2_format *p, int is_trial) {
    if (!is_trial && (knob("VCAM_BUSY") || (owner && owner != h) || h->buffer_count)) return -EBUSY;
    struct mode *before = current;
    current = nearest(p->fmt.pix.pixelformat, p->fmt.pix.width, p->fmt.pix.height, seconds(current));
    describe_format(&p->fmt.pix);
    if (is_trial) current = before;
    return 0;
}

static int rate(struct handle *h, struct v4l2_captureparm *p, int is_set) {
    if (is_set && h->is_streaming) return -EBUSY;
    struct v4l2_fract f = p->timeperframe;
    if (is_set && f.numerator && f.denominator)
        current = nearest(current->fourcc, current->width, current->height, (double)f.numerator / f.denominator);
    memset(p, 0, sizeof *p);
    p->capability = V4L2_CAP_TIMEPERFRAME;
    p->timeperframe = (struct v4l2_fract){current->interval_num, current->interval_den};
    return 0;
}

static int describe_control(struct v4l2_query_ext_ctrl *p) {
    int is_walk = (p->id & (V4L2_CTRL_FLAG_NEXT_CTRL | V4L2_CTRL_FLAG_NEXT_COMPOUND)) != 0;
    uint32_t id = p->id & V4L2_CTRL_ID_MASK;
    struct control *c = is_walk ? NULL : control(id);
    for (unsigned i = 0; is_walk && !c && i < COUNT(controls); i++)
        if (controls[i].id > id) c = &controls[i];
    if (!c) return -EINVAL;
    memset(p, 0, sizeof *p);
    p->id = c->id, p->type = c->type, p->minimum = c->minimum, p->maximum = c->maximum, p->step = 1;
    p->default_value = c->value, p->elem_size = 4, p->elems = 1;
    snprintf(p->name, sizeof p->name, "%s", c->name);
    return 0;
}

static int access_control(struct v4l2_ext_controls *p, int is_set) {
    struct control *c = p->count == 1 ? control(p->controls->id) : NULL;
    if (!c) return -EINVAL;
    if (!is_set) return p->controls->value = c->value, 0;
    int value = p->controls->value;
    struct control *automatic = c->automatic_id ? control(c->automatic_id) : NULL;
    if (automatic && automatic->value != c->automatic_off) return -EACCES;
    if (value < c->minimum || value > c->maximum) return -ERANGE;
    // uvcvideo's cameras know manual and aperture priority only.
    if (c->type == V4L2_CTRL_TYPE_MENU && value != 1 && value != 3) return -EINVAL;
    c->value = value;
    return 0;
}

static int queue_buffer(struct handle *h, struct v4l2_buffer *p) {
    if (p->index >= h->buffer_count) return -EINVAL;
    struct v4l2_buffer *b = &h->buffers[p->index];
    if (b->flags & (V4L2_BUF_FLAG_QUEUED | V4L2_BUF_FLAG_DONE)) return -EINVAL;
    b->flags |= V4L2_BUF_FLAG_QUEUED;
    h->queued[h->queued_count++] = p->index;
    *p = *b;
    if (knob("VCAM_LOCKSTEP")) play_in_step(h);
    return 0;
}

static int take_buffer(struct handle *h, struct v4l2_buffer *p) {
    if (!h->is_streaming) return -EINVAL;
    if (!h->done_count) return -EAGAIN;
    struct v4l2_buffer *b = &h->buffers[h->done[0]];
    memmove(h->done, h->done + 1, --h->done_count * sizeof *h->done);
    *p = *b;
    b->flags &= ~(V4L2_BUF_FLAG_DONE | V4L2_BUF_FLAG_ERROR);
    return 0;
}

static int start_streaming(struct handle *h) {
    if (!h->buffer_count) return -EINVAL;
    if (h->is_streaming) return 0;
    h->is_streaming = 1, h->delivered = 0, sequence = 0;
    if (!knob("VCAM_LOCKSTEP")) return -pthread_create(&h->producer, NULL, produce, h);
    play_in_step(h);
    return 0;
}

static int answer(struct handle *h, uint32_t request, void *argument) {
    if (h->is_gone) return -ENODEV;
    if (request == VIDIOC_QUERYCAP) {
        struct v4l2_capability *p = argument;
        memset(p, 0, sizeof *p);
        snprintf((char *)p->driver, sizeof p->driver, "uvcvideo");
        snprintf((char *)p->card, sizeof p->card, "%s", card());
        snprintf((char *)p->bus_info, sizeof p->bus_info, "usb-vcam-1");
        p->device_caps = (h->is_meta ? V4L2_CAP_META_CAPTURE : V4L2_CAP_VIDEO_CAPTURE) | V4L2_CAP_STREAMING;
        p->capabilities = p->device_caps | V4L2_CAP_DEVICE_CAPS;
        return 0;
    }
    if (h->is_meta) return -EINVAL;
    switch (request) {
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *p = argument;
        struct mode *m = nth(p->index, 0, (struct mode){0});
        if (p->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || !m) return -EINVAL;
        p->pixelformat = m->fourcc;
        snprintf((char *)p->description, sizeof p->description, "%.4s", (char *)&m->fourcc);
        return 0;
    }
    case VIDIOC_ENUM_FRAMESIZES: return list_sizes(argument);
    case VIDIOC_ENUM_FRAMEINTERVALS: return list_intervals(argument);
    case VIDIOC_G_FMT: return describe_format(&((struct v4l2_format *)argument)->fmt.pix), 0;
    case VIDIOC_TRY_FMT: return set_format(h, argument, 1);
    case VIDIOC_S_FMT: return set_format(h, argument, 0);
    case VIDIOC_G_PARM: return rate(h, &((struct v4l2_streamparm *)argument)->parm.capture, 0);
    case VIDIOC_S_PARM: return rate(h, &((struct v4l2_streamparm *)argument)->parm.capture, 1);
    case VIDIOC_QUERY_EXT_CTRL: return describe_control(argument);
    case VIDIOC_G_EXT_CTRLS: return access_control(argument, 0);
    case VIDIOC_S_EXT_CTRLS: return access_control(argument, 1);
    case VIDIOC_QUERYMENU: {
        struct v4l2_querymenu *p = argument;
        if (p->id != V4L2_CID_EXPOSURE_AUTO || (p->index != 1 && p->index != 3)) return -EINVAL;
        snprintf((char *)p->name, sizeof p->name, "%s", p->index == 1 ? "Manual Mode" : "Aperture Priority Mode");
        return 0;
    }
    case VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *p = argument;
        if (p->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || p->memory != V4L2_MEMORY_MMAP) return -EINVAL;
        if (knob("VCAM_BUSY") || (owner && owner != h) || h->is_streaming) return -EBUSY;
        free_buffers(h);
        if (p->count > MAX_BUFFERS) p->count = MAX_BUFFERS;
        return p->count ? make_buffers(h, p->count) : 0;
    }
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *p = argument;
        if (p->index >= h->buffer_count) return -EINVAL;
        *p = h->buffers[p->index];
        return 0;
    }
    case VIDIOC_QBUF: return queue_buffer(h, argument);
    case VIDIOC_DQBUF: return take_buffer(h, argument);
    case VIDIOC_STREAMON: return start_streaming(h);
    case VIDIOC_STREAMOFF:
        if (owner && owner != h) return -EBUSY;
        stop_streaming(h);
        return 0;
    }
    return -ENOTTY;
}

// ------------------------------------------------------------------------------------- what stands in for the C library

static struct handle *handle_of(int fd) {
    return fd >= 0 && fd < MAX_FDS ? handles[fd] : NULL;
}

static int answer_call(int fd, unsigned long request, void *argument) {
    pthread_mutex_lock(&lock);
    struct handle *h = handles[fd];
    int result = answer(h, request, argument);
    update_lamp(h);
    pthread_mutex_unlock(&lock);
    if (result >= 0) return result;
    errno = -result;
    return -1;
}

static int open_node(int is_meta) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) return -1;
    if (ends[0] >= MAX_FDS) abort();
    struct handle *h = calloc(1, sizeof *h);
    h->fd = ends[0], h->lamp = ends[1], h->memory = -1, h->is_meta = is_meta;
    handles[ends[0]] = h;
    update_lamp(h);
    return ends[0];
}

static int open_text(const char *text) {
    int fd = memfd_create("vcam-sysfs", MFD_CLOEXEC);
    dprintf(fd, "%s\n", text);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

// Whether the path is one of ours; then *fd is the answer.
static int open_ours(const char *path, int *fd) {
    int number, length = 0;
    char attribute[32];
    if (!mode_count || !path) return 0;
    int is_node = sscanf(path, "/dev/video%d%n", &number, &length) == 1 && !path[length];
    int is_text = !is_node && sscanf(path, "/sys/class/video4linux/video%d/%31s", &number, attribute) == 2;
    if (!is_node && !is_text) return 0;
    pthread_mutex_lock(&lock);
    int first = present();
    if (first < 0 || (number != first && number != first + 1)) {
        errno = ENOENT;
        *fd = -1;
    } else if (is_node) {
        *fd = open_node(number != first);
    } else {
        *fd = open_text(!strcmp(attribute, "name") ? card() : number == first ? "0" : "1");
    }
    pthread_mutex_unlock(&lock);
    return 1;
}

#define WITH_MODE                                              \
    va_list rest;                                              \
    va_start(rest, flags);                                     \
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; \
    va_end(rest);                                              \
    int fd

int open(const char *path, int flags, ...) {
    WITH_MODE;
    return open_ours(path, &fd) ? fd : real_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    WITH_MODE;
    return open_ours(path, &fd) ? fd : real_open(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    WITH_MODE;
    return open_ours(path, &fd) ? fd : real_openat(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    WITH_MODE;
    return open_ours(path, &fd) ? fd : real_openat(folder, path, flags, mode);
}

int close(int fd) {
    pthread_mutex_lock(&lock);
    struct handle *h = handle_of(fd);
    if (h) {
        free_buffers(h);
        real_close(h->lamp);
        handles[fd] = NULL;
        free(h);
    }
    pthread_mutex_unlock(&lock);
    return real_close(fd);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return handle_of(fd) ? answer_call(fd, request, argument) : real_ioctl(fd, request, argument);
}

// The v4l crate calls syscall(SYS_ioctl, …) and not ioctl().
long syscall(long number, ...) {
    long a[6];
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_ioctl && handle_of(a[0])) return answer_call(a[0], (uint32_t)a[1], (void *)a[2]);
    if (!real_syscall) real_syscall = dlsym(RTLD_NEXT, "syscall");
    return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void *mmap(void *where, size_t length, int protection, int flags, int fd, off_t offset) {
    if (!real_mmap) real_mmap = dlsym(RTLD_NEXT, "mmap");
    struct handle *h = handle_of(fd);
    return real_mmap(where, length, protection, flags, h ? h->memory : fd, offset);
}

void *mmap64(void *where, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap(where, length, protection, flags, fd, offset);
}

ssize_t readlink(const char *path, char *target, size_t size) {
    int fd, length = 0;
    if (sscanf(path, "/proc/self/fd/%d%n", &fd, &length) == 1 && !path[length] && handle_of(fd)) {
        char text[32];
        int n = snprintf(text, sizeof text, "/dev/video%d", node + handles[fd]->is_meta);
        if ((size_t)n > size) n = size;
        memcpy(target, text, n);
        return n;
    }
    return real_readlink(path, target, size);
}

// Appends our nodes to a listing of /dev, the second before the first: real listings are not sorted either.
struct dirent64 *readdir64(DIR *folder) {
    static __thread DIR *listed;
    static __thread int left;
    static __thread struct dirent64 entry;
    struct dirent64 *real = real_readdir(folder);
    if (real) return real;
    char link[64], target[16] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd(folder));
    if (real_readlink(link, target, sizeof target - 1) < 0 || strcmp(target, "/dev")) return NULL;
    pthread_mutex_lock(&lock);
    int first = present();
    pthread_mutex_unlock(&lock);
    if (first < 0) return NULL;
    if (listed != folder) listed = folder, left = 2;
    if (!left) {
        listed = NULL;
        return NULL;
    }
    entry = (struct dirent64){.d_ino = 1, .d_type = DT_CHR, .d_reclen = sizeof entry};
    snprintf(entry.d_name, sizeof entry.d_name, "video%d", first + --left);
    return &entry;
}
