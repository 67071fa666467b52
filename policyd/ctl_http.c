/* SPDX-License-Identifier: ISC */
/* ctl_http.c - asks by libcurl, in one go, with a deadline. Shows nothing. */
#include "policyd/ctl_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xmalloc.h"

#define CONNECT_SECS 5
#define TIMEOUT_SECS 60

struct text {
	char *bytes;
	size_t len;
};

static size_t
receive(char *bytes, size_t size, size_t count, void *arg)
{
	struct text *text = arg;

	text->bytes = xrealloc(text->bytes, text->len + size * count, 1);
	memcpy(text->bytes + text->len, bytes, size * count);
	text->len += size * count;
	return size * count;
}

/* Host and port of the URL; the socket goes to curl. The caller frees it. */
static char *
authority(CURL *curl, const char *control)
{
	if (strncmp(control, "inet:", 5) == 0)
		return xstrdup(control + 5);
	if (strncmp(control, "unix:", 5) == 0)
		control += 5;
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, control);
	return xstrdup("policyd");
}

static char *
url(CURL *curl, const char *control, const struct ctl_question *question)
{
	char *host = authority(curl, control);
	char *name = question->name == NULL ? NULL
	    : curl_easy_escape(curl, question->name, 0);
	char *text = xasprintf("http://%s%s%s%s", host, question->path,
	    name != NULL ? "?name=" : "", name != NULL ? name : "");

	curl_free(name);
	free(host);
	return text;
}

/* The HTTP status, or -1 and *why */
static int
transfer(CURL *curl, const char *control, const struct text *text,
    json_t **answer, const char **why)
{
	static char reason[512];
	CURLcode code = curl_easy_perform(curl);
	json_error_t fault;
	long value = 0;

	*why = reason;
	if (code != CURLE_OK) {
		curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &value);
		snprintf(reason, sizeof(reason), "%s: %s", control,
		    code == CURLE_COULDNT_CONNECT && value != 0
		    ? strerror((int)value) : curl_easy_strerror(code));
		return -1;
	}
	*answer = json_loadb(text->len > 0 ? text->bytes : "", text->len, 0,
	    &fault);
	if (!json_is_object(*answer)) {
		json_decref(*answer);
		snprintf(reason, sizeof(reason), "%s: the answer is not one "
		    "of policyd's", control);
		return -1;
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &value);
	return (int)value;
}

int
ctl_http_ask(const char *control, const struct ctl_question *question,
    json_t **answer, const char **why)
{
	CURL *curl = curl_easy_init();
	struct text text = { NULL, 0 };
	char *where;
	int status;

	if (curl == NULL)
		fatal("libcurl cannot start");
	where = url(curl, control, question);
	curl_easy_setopt(curl, CURLOPT_URL, where);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_SECS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
	if (question->body != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)strlen(question->body));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, question->body);
	}
	status = transfer(curl, control, &text, answer, why);
	curl_easy_cleanup(curl);
	free(where);
	free(text.bytes);
	return status;
}
