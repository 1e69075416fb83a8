// Knows how to load an HTTP/1.1 gateway and what that cost it: one line of JSON about a measured window.
//
// usage: loadgen -p PORT -b BODY_FILE -k KEYS_FILE -c CONNECTIONS [-r PER_SECOND] -w WARMUP_S -d WINDOW_S [-P PID,PID...]
//
// Closed loop: CONNECTIONS lines, each sends its next request when the last was answered; they start one after the
// other over the first half of the warm-up. Open loop (-r): requests start at Poisson times whatever happens, and their
// latency counts from the time at which they should have started, so a stall is not hidden by requests that were never
// sent (coordinated omission). CPU time (utime + stime) of the processes -P is read at both ends of the window, in here,
// so that neither warm-up nor start and end of this process are in it. Keys are taken from KEYS_FILE in random order.
// Events are recognised by the stamp that mock_upstream puts into them.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_CAPACITY = 8192, READ_CAPACITY = 256 * 1024, BATCH = 512, STAMP_DIGITS = 19, MAX_PIDS = 64 };
typedef enum { IDLE, CONNECTING, BUSY } State;
typedef enum { SIZE, SIZE_REST, DATA, DATA_END, TRAILER } ChunkState;
typedef enum { MORE, DONE, BROKEN } Progress;

typedef struct {
    int fd;
    State state;
    long began_ns;
    size_t sent;
    const struct iovec *head_out;
    size_t request_size;
    int in_head, status, is_chunked, has_done;
    size_t head_size;
    long left;             // of the body, or of the current chunk; -1: no Content-Length
    ChunkState chunk;
    size_t trailer_size;
    int at_signs, digits;  // how much of a stamp was seen
    long stamp;
    int done_matched;      // how much of "[DONE]" was seen
    char head[HEAD_CAPACITY];
} Conn;

typedef struct { unsigned *values; size_t count, capacity; } Samples;  // tenths of a microsecond

static int poller, connections = 64, pid_count;
static struct sockaddr_in address;
static double per_second, warmup_s = 1, window_s = 5;
static struct iovec *heads_out, body_out;  // one head per key; all share the body
static size_t head_count;
static Conn *conns;
static int *idle, idle_count;
static long window_begin_ns, window_end_ns, ok, refused, broken, streams_cut, events_seen, late_ns;
static int pids[MAX_PIDS], statuses[600];
static Samples latencies, delays;

static long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void die(const char *what) { perror(what); exit(1); }

// ---- samples -------------------------------------------------------------------------------------------------------

static void add_sample(Samples *s, long ns) {
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 65536;
        s->values = realloc(s->values, s->capacity * sizeof *s->values);
        if (!s->values) die("realloc");
    }
    s->values[s->count++] = ns < 0 ? 0 : ns > 400000000000L ? 4000000000u : (unsigned)(ns / 100);
}

static int by_size(const void *a, const void *b) {
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return x < y ? -1 : x > y;
}

static double quantile(const Samples *s, double q) {
    return s->count ? s->values[(size_t)((double)(s->count - 1) * q)] / 10.0 : 0;
}

static void show_samples(const char *name, Samples *s) {
    if (s->count) qsort(s->values, s->count, sizeof *s->values, by_size);
    printf("\"%s\":{\"n\":%zu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"max\":%.1f},", name, s->count, quantile(s, .5),
           quantile(s, .9), quantile(s, .99), quantile(s, 1));
}

// utime + stime of all -P processes (all their threads), in seconds. Source: proc_pid_stat(5).
static double cpu_seconds(void) {
    double ticks = 0;
    for (int i = 0; i < pid_count; i++) {
        char path[64], text[1024];
        snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
        FILE *file = fopen(path, "r");
        if (!file) { fprintf(stderr, "loadgen: process %d is gone\n", pids[i]); exit(1); }
        size_t size = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        text[size] = 0;
        unsigned long user = 0, system = 0;
        char *rest = strrchr(text, ')');
        if (!rest || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
            die("stat");
        ticks += (double)(user + system);
    }
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

// ---- one line ------------------------------------------------------------------------------------------------------

static void watch(Conn *c, int operation, unsigned what) {
    struct epoll_event e = {.events = what, .data.ptr = c};
    epoll_ctl(poller, operation, c->fd, &e);
}

static void send_rest(Conn *c) {
    struct iovec parts[2] = {*c->head_out, body_out};
    size_t skip = c->sent < parts[0].iov_len ? c->sent : parts[0].iov_len;
    parts[0].iov_base = (char *)parts[0].iov_base + skip;
    parts[0].iov_len -= skip;
    parts[1].iov_base = (char *)parts[1].iov_base + (c->sent - skip);
    parts[1].iov_len -= c->sent - skip;
    ssize_t n = writev(c->fd, parts, 2);
    if (n > 0) c->sent += (size_t)n;
}

static void begin(Conn *c, long began_ns) {
    static unsigned seed = 42;
    c->head_out = &heads_out[head_count == 1 ? 0 : (size_t)rand_r(&seed) % head_count];
    c->request_size = c->head_out->iov_len + body_out.iov_len;
    c->began_ns = began_ns;
    c->sent = c->head_size = c->trailer_size = 0;
    c->in_head = 1;
    c->is_chunked = c->has_done = c->at_signs = c->digits = c->done_matched = 0;
    c->left = -1;
    c->chunk = SIZE;
    if (c->fd >= 0) {
        c->state = BUSY;
        send_rest(c);
        if (c->sent < c->request_size) watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
        return;
    }
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) die("connect");
    c->state = CONNECTING;
    watch(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void finish(Conn *c, long now, int is_good) {
    int is_counted = now >= window_begin_ns && now < window_end_ns;
    if (!is_good) {
        close(c->fd);
        c->fd = -1;
    }
    c->state = IDLE;
    if (is_counted) {
        if (!is_good) broken++;
        else if (c->status != 200) refused++;
        else {
            ok++;
            add_sample(&latencies, now - c->began_ns);
            if (c->is_chunked && !c->has_done) streams_cut++;
        }
        if (is_good && c->status > 0 && c->status < 600) statuses[c->status]++;
    }
    if (per_second == 0 && now < window_end_ns) begin(c, now);
    else idle[idle_count++] = (int)(c - conns);
}

// ---- what comes back -----------------------------------------------------------------------------------------------

static void read_body(Conn *c, const char *at, size_t size, long now) {
    static const char mark[] = "[DONE]";
    for (const char *end = at + size; at < end; at++) {
        if (*at == mark[c->done_matched]) {
            if (mark[++c->done_matched] == 0) { c->has_done = 1; c->done_matched = 0; }
        } else c->done_matched = 0;
        if (c->at_signs < 2) {
            c->at_signs = *at == '@' ? c->at_signs + 1 : 0;
            c->stamp = c->digits = 0;
        } else if (*at < '0' || *at > '9') c->at_signs = 0;
        else {
            c->stamp = c->stamp * 10 + *at - '0';
            if (++c->digits < STAMP_DIGITS) continue;
            c->at_signs = 0;
            if (now < window_begin_ns || now >= window_end_ns) continue;
            events_seen++;
            add_sample(&delays, now - c->stamp);
        }
    }
}

// Take the head from `*at`; 1 when it is complete, 0 when more is needed, -1 when it is too long.
static int read_head(Conn *c, const char **at, size_t *size) {
    size_t room = HEAD_CAPACITY - 1 - c->head_size, taken = *size < room ? *size : room, before = c->head_size;
    memcpy(c->head + before, *at, taken);
    c->head[c->head_size = before + taken] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return taken < *size ? -1 : 0;
    size_t used = (size_t)(end + 4 - c->head) - before;
    *at += used;
    *size -= used;
    end[2] = 0;
    c->status = atoi(c->head + 9);
    char *length = strcasestr(c->head, "\r\ncontent-length:");
    if (length) c->left = atol(length + 17);
    char *coding = strcasestr(c->head, "\r\ntransfer-encoding: chunked");
    if (coding) { c->is_chunked = 1; c->left = 0; }
    c->in_head = 0;
    return coding || length ? 1 : -1;
}

static int hex_value(char ch) {
    if (ch >= '0' && ch <= '9') return ch - '0';
    ch |= 32;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static Progress read_chunked(Conn *c, const char *at, size_t size, long now) {
    while (size) {
        if (c->chunk == DATA) {
            size_t taken = size < (size_t)c->left ? size : (size_t)c->left;
            read_body(c, at, taken, now);
            at += taken;
            size -= taken;
            c->left -= (long)taken;
            if (!c->left) c->chunk = DATA_END;
            continue;
        }
        char ch = *at++;
        size--;
        if (c->chunk == SIZE && hex_value(ch) >= 0) c->left = c->left * 16 + hex_value(ch);
        else if (c->chunk == SIZE && ch != '\n') c->chunk = SIZE_REST;
        else if (c->chunk == DATA_END) { if (ch == '\n') c->chunk = SIZE; }
        else if (c->chunk == TRAILER) {
            if (ch == '\n' && c->trailer_size == 0) return size ? BROKEN : DONE;
            c->trailer_size = ch == '\n' ? 0 : c->trailer_size + (ch != '\r');
        } else if (ch == '\n') c->chunk = c->left ? DATA : TRAILER;
    }
    return MORE;
}

static Progress read_answer(Conn *c, const char *at, size_t size, long now) {
    if (c->in_head) {
        int got = read_head(c, &at, &size);
        if (got <= 0) return got ? BROKEN : MORE;
    }
    if (c->is_chunked) return read_chunked(c, at, size, now);
    if ((long)size > c->left) return BROKEN;
    c->left -= (long)size;
    return c->left ? MORE : DONE;
}

static void on_writable(Conn *c) {
    if (c->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) { errno = error; die("connect"); }
        c->state = BUSY;
    }
    send_rest(c);
    if (c->sent == c->request_size) watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void on_readable(Conn *c) {
    static char buffer[READ_CAPACITY];
    ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) return;
    long now = now_ns();
    if (c->state == IDLE) {  // closed, or spoken to, between two requests
        close(c->fd);
        c->fd = -1;
        return;
    }
    Progress progress = got <= 0 ? BROKEN : read_answer(c, buffer, (size_t)got, now);
    if (progress != MORE) finish(c, now, progress == DONE);
}

// ---- the run -------------------------------------------------------------------------------------------------------

static char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    if (!text || fread(text, 1, *size, file) != *size) die(path);
    text[*size] = 0;
    fclose(file);
    return text;
}

static void make_requests(int port, const char *body_path, const char *keys_path) {
    size_t keys_size, capacity = 0;
    body_out.iov_base = read_file(body_path, &body_out.iov_len);
    char *rest = read_file(keys_path, &keys_size);
    for (char *key; (key = strtok_r(rest, "\n", &rest));) {
        if (head_count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            heads_out = realloc(heads_out, capacity * sizeof *heads_out);
            if (!heads_out) die("realloc");
        }
        char *head;
        int size = asprintf(&head, "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: "
            "application/json\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python 2.8.0\r\n"
            "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n", port, key, body_out.iov_len);
        if (size < 0) die("asprintf");
        heads_out[head_count++] = (struct iovec){head, (size_t)size};
    }
    if (!head_count) { fprintf(stderr, "loadgen: no key in %s\n", keys_path); exit(2); }
}

static double next_gap_ns(void) { return -log(1 - drand48()) * 1e9 / per_second; }

// Start what is due; return the nanoseconds until something else is.
static long start_due(long began_ns, double *next_ns) {
    static int started;
    long now = now_ns();
    if (per_second == 0) {
        double share = (double)(now - began_ns) / (warmup_s * 5e8);
        for (; started < connections && started <= share * connections; started++) begin(&conns[started], now);
        return started < connections ? 1000000 : 50000000;
    }
    while (*next_ns <= (double)now && now < window_end_ns && idle_count) {
        begin(&conns[idle[--idle_count]], (long)*next_ns);
        *next_ns += next_gap_ns();
    }
    if (!idle_count && now < window_end_ns && now - (long)*next_ns > late_ns) late_ns = now - (long)*next_ns;
    long left = (long)*next_ns - now;
    return left < 0 || left > 50000000 ? 50000000 : left;
}

static void run(double *cpu_s, double *measured_s) {
    struct epoll_event events[BATCH];
    long began = now_ns(), cpu_from_ns = 0;
    double next_ns = (double)began, cpu_from_s = 0;
    window_begin_ns = began + (long)(warmup_s * 1e9);
    window_end_ns = window_begin_ns + (long)(window_s * 1e9);
    for (long now = began; now < window_end_ns; now = now_ns()) {
        if (!cpu_from_ns && now >= window_begin_ns) { cpu_from_s = cpu_seconds(); cpu_from_ns = now; }
        struct timespec wait = {0, start_due(began, &next_ns)};
        long edge = cpu_from_ns ? window_end_ns - now : window_begin_ns - now;  // read the CPU times punctually
        if (edge > 0 && edge < wait.tv_nsec) wait.tv_nsec = edge;
        int count = epoll_pwait2(poller, events, BATCH, &wait, NULL);
        for (int i = 0; i < count; i++) {
            Conn *c = events[i].data.ptr;
            if (c->fd >= 0 && events[i].events & EPOLLOUT) on_writable(c);
            if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(c);
        }
    }
    *cpu_s = cpu_seconds() - cpu_from_s;
    *measured_s = (double)(now_ns() - cpu_from_ns) / 1e9;
}

static void report(double cpu_s, double measured_s) {
    printf("{\"ok\":%ld,\"refused\":%ld,\"broken\":%ld,\"streams_cut\":%ld,\"events\":%ld,\"cpu_s\":%.3f,"
           "\"window_s\":%.4f,\"late_us\":%.0f,", ok, refused, broken, streams_cut, events_seen, cpu_s, measured_s,
           (double)late_ns / 1e3);
    show_samples("latency_us", &latencies);
    show_samples("event_delay_us", &delays);
    printf("\"statuses\":{");
    const char *comma = "";
    for (int i = 0; i < 600; i++)
        if (statuses[i]) { printf("%s\"%d\":%d", comma, i, statuses[i]); comma = ","; }
    printf("}}\n");
}

int main(int argc, char **argv) {
    const char *body = NULL, *keys = NULL;
    int option, port = 0;
    while ((option = getopt(argc, argv, "p:b:k:c:r:w:d:P:")) > 0) switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'b': body = optarg; break;
        case 'k': keys = optarg; break;
        case 'c': connections = atoi(optarg); break;
        case 'r': per_second = atof(optarg); break;
        case 'w': warmup_s = atof(optarg); break;
        case 'd': window_s = atof(optarg); break;
        case 'P':
            for (char *pid; (pid = strsep(&optarg, ",")) && pid_count < MAX_PIDS;) pids[pid_count++] = atoi(pid);
            break;
        default: return 2;
    }
    if (!body || !keys || !port || connections < 1) { fprintf(stderr, "loadgen: -p, -b and -k are needed\n"); return 2; }
    signal(SIGPIPE, SIG_IGN);
    make_requests(port, body, keys);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    poller = epoll_create1(0);
    conns = calloc((size_t)connections, sizeof *conns);
    idle = calloc((size_t)connections, sizeof *idle);
    if (!conns || !idle) die("calloc");
    srand48(42);
    for (int i = connections - 1; i >= 0; i--) {
        conns[i].fd = -1;
        if (per_second > 0) idle[idle_count++] = i;
    }
    double cpu_s, measured_s;
    run(&cpu_s, &measured_s);
    report(cpu_s, measured_s);
    return 0;
}
