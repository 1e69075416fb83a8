// Knows one fixed answer in the OpenAI chat format, whole or as a paced stream, and gives it as cheaply as it can.
//
// usage: mock_upstream PORT CHUNKS PACE_US
//
// One thread, epoll, HTTP/1.1 keep-alive. A request whose body has `"stream":true` gets CHUNKS events, one every
// PACE_US microseconds, each in one HTTP chunk, then the end of the choice, usage and [DONE] at once; every other
// request gets one JSON answer. Each event with text says one word of an answer, and carries in `system_fingerprint` "@@"
// and the 19-digit CLOCK_MONOTONIC time at which it was written: the load generator takes the delay from it. (Not in the
// text: a gateway that searches answers would look at a number of 19 digits per word, as no answer has.) Only what the two gateways of this benchmark send is understood:
// bodies have a Content-Length.
// Formats: https://platform.openai.com/docs/api-reference/chat (2026-11).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_CAPACITY = 256 * 1024, EVENT_CAPACITY = 1024, BATCH = 256 };

typedef struct Conn {
    int fd;
    int is_closed;         // freed once it has left the queue of streams
    int is_streaming;
    int sent_events;
    long due_ns;
    struct Conn *next;     // in the queue of streams
    size_t in_size;
    char in[IN_CAPACITY];
} Conn;

static int poller, chunks;
static long pace_ns;
static Conn *queue_first, *queue_last;  // every pause has the same length, so the queue is in order by itself
static char json_answer[4096];
static size_t json_size;

static const char STREAM_HEAD[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
    "openai-processing-ms: 12\r\nopenai-version: 2020-10-01\r\nx-ratelimit-limit-requests: 10000\r\n"
    "x-ratelimit-remaining-requests: 9999\r\nx-request-id: req_mock0000000000000000000000000000\r\n\r\n";
#define EVENT_START \
    "data: {\"id\":\"chatcmpl-mock0000000000000000000000001\",\"object\":\"chat.completion.chunk\"," \
    "\"created\":1795305600,\"model\":\"gpt-4o-mini\",\"service_tier\":\"default\",\"system_fingerprint\":"
#define EVENT_HEAD EVENT_START "\"fp_mock\","

static const char *const WORDS[] = {
    " The", " buyer", " gets", " 60", " units", " on", " Thursday", " from", " the", " northern", " depot", " and",
    " the", " other", " 36", " with", " the", " regular", " route", " in", " week", " 49", ";", " the", " credit",
    " is", " 7.5", " percent", " of", " the", " order", " value", ",", " as", " section", " 8.2", " grants", ".",
};
#define WORD_COUNT ((int)(sizeof WORDS / sizeof *WORDS))

static long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void make_json_answer(void) {
    char text[1024], body[3072];
    size_t size = 0;
    while (size < 900)
        size += (size_t)sprintf(text + size, "Parcel %03zu went to the depot and a replacement is on its way. ", size);
    int body_size = sprintf(body,
        "{\"id\":\"chatcmpl-mock0000000000000000000000001\",\"object\":\"chat.completion\",\"created\":1795305600,"
        "\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\","
        "\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"
        "\"prompt_tokens\":497,\"completion_tokens\":196,\"total_tokens\":693,\"prompt_tokens_details\":{"
        "\"cached_tokens\":0,\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,"
        "\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}},"
        "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock\"}", text);
    json_size = (size_t)sprintf(json_answer,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nopenai-processing-ms: 12\r\n"
        "openai-version: 2020-10-01\r\nx-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"
        "x-request-id: req_mock0000000000000000000000000000\r\n\r\n%s", body_size, body);
}

static size_t wrap(char *out, const char *event, int size) {
    return (size_t)sprintf(out, "%x\r\n%s\r\n", (unsigned)size, event);
}

// One event as one HTTP chunk. After the text come, without a pause, the end of the choice (an event without text: a
// gateway may hold it back until it has settled), usage, [DONE] and the end of the body.
static size_t make_event(char *out, int index) {
    char event[EVENT_CAPACITY];
    if (index < chunks)
        return wrap(out, event, sprintf(event, EVENT_START "\"@@%019ld\",\"choices\":[{\"index\":0,\"delta\":{%s"
            "\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n",
            now_ns(), index == 0 ? "\"role\":\"assistant\"," : "", WORDS[index % WORD_COUNT]));
    size_t size = wrap(out, event, sprintf(event, EVENT_HEAD "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":"
        "null,\"finish_reason\":\"stop\"}],\"usage\":null}\n\n"));
    size += wrap(out + size, event, sprintf(event, EVENT_HEAD "\"choices\":[],\"usage\":{\"prompt_tokens\":497,"
        "\"completion_tokens\":%d,\"total_tokens\":%d,\"prompt_tokens_details\":{\"cached_tokens\":0},"
        "\"completion_tokens_details\":{\"reasoning_tokens\":0}}}\n\ndata: [DONE]\n\n", chunks, 497 + chunks));
    return size + (size_t)sprintf(out + size, "0\r\n\r\n");
}

static void close_conn(Conn *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->is_closed = 1;
    if (!c->is_streaming) free(c);
}

// Answers are small and readers are fast: a full socket buffer means a broken run, so the connection is closed.
static int send_all(Conn *c, const char *data, size_t size) {
    return send(c->fd, data, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

static void enqueue(Conn *c) {
    c->next = NULL;
    if (queue_last) queue_last->next = c;
    else queue_first = c;
    queue_last = c;
}

static int start_stream(Conn *c) {
    if (send_all(c, STREAM_HEAD, sizeof STREAM_HEAD - 1) < 0) return -1;
    c->is_streaming = 1;
    c->sent_events = 0;
    c->due_ns = now_ns() + pace_ns;
    enqueue(c);
    return 0;
}

// Answer the request at the start of the buffer, if it is complete. -1: close the line.
static int answer(Conn *c) {
    if (c->is_streaming || c->in_size == 0) return 0;
    char *end = memmem(c->in, c->in_size, "\r\n\r\n", 4);
    if (!end) return c->in_size == IN_CAPACITY ? -1 : 0;
    size_t head_size = (size_t)(end - c->in) + 4, body_size = 0;
    *end = 0;
    char *length = strcasestr(c->in, "\r\ncontent-length:");
    if (strcasestr(c->in, "\r\ntransfer-encoding:")) return -1;
    *end = '\r';
    if (length) body_size = strtoul(length + 17, NULL, 10);
    if (head_size + body_size > IN_CAPACITY) return -1;
    if (c->in_size < head_size + body_size) return 0;
    char *body = c->in + head_size;
    int is_stream = memmem(body, body_size, "\"stream\":true", 13) || memmem(body, body_size, "\"stream\": true", 14);
    int result = is_stream ? start_stream(c) : send_all(c, json_answer, json_size);
    c->in_size -= head_size + body_size;
    memmove(c->in, c->in + head_size + body_size, c->in_size);
    return result;
}

static void read_conn(Conn *c) {
    ssize_t got = recv(c->fd, c->in + c->in_size, IN_CAPACITY - c->in_size, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0) c->in_size += (size_t)got;
    if (got <= 0 || answer(c) < 0) close_conn(c);
}

static void accept_all(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        Conn *c = calloc(1, sizeof *c);
        if (!c) { close(fd); return; }
        c->fd = fd;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
    }
}

static void write_due_events(void) {
    char events[2 * EVENT_CAPACITY + 64];
    long now = now_ns();
    while (queue_first && queue_first->due_ns <= now) {
        Conn *c = queue_first;
        queue_first = c->next;
        if (!queue_first) queue_last = NULL;
        c->is_streaming = 0;
        if (c->is_closed) { free(c); continue; }
        int is_last = c->sent_events == chunks;
        if (send_all(c, events, make_event(events, c->sent_events++)) < 0) { close_conn(c); continue; }
        if (is_last) {
            if (answer(c) < 0) close_conn(c);
            continue;
        }
        c->is_streaming = 1;
        c->due_ns = c->due_ns + pace_ns > now ? c->due_ns + pace_ns : now;
        enqueue(c);
    }
}

static int listen_on(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4096) < 0) { perror("mock_upstream"); exit(1); }
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 4) { fprintf(stderr, "usage: mock_upstream PORT CHUNKS PACE_US\n"); return 2; }
    chunks = atoi(argv[2]);
    pace_ns = atol(argv[3]) * 1000;
    signal(SIGPIPE, SIG_IGN);
    make_json_answer();
    int listener = listen_on(atoi(argv[1]));
    poller = epoll_create1(0);
    struct epoll_event first = {.events = EPOLLIN, .data.ptr = NULL}, events[BATCH];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &first);
    for (;;) {
        struct timespec wait = {0, 0}, *timeout = NULL;
        if (queue_first) {
            long left = queue_first->due_ns - now_ns();
            if (left > 0) { wait.tv_sec = left / 1000000000L; wait.tv_nsec = left % 1000000000L; }
            timeout = &wait;
        }
        int count = epoll_pwait2(poller, events, BATCH, timeout, NULL);
        for (int i = 0; i < count; i++) {
            Conn *c = events[i].data.ptr;
            if (!c) accept_all(listener);
            else if (!c->is_closed) read_conn(c);
        }
        write_due_events();
    }
}
