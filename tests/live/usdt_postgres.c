/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* PostgreSQL: a server of our own, and what one of its backends is asked. */
#include "usdt_real.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUERIES = 200 };

/* The server of all tests, empty when there is none; and its data, log and socket. */
static char postgres[PATH_MAX];
static char directory[] = "/tmp/upm-postgres-XXXXXX";
static pid_t server;

/* It refuses to run as root. It ends with this process, whatever that one ends by. */
#define AS_NOBODY                                                                                  \
	"cd $directory && exec setpriv --reuid=nobody --regid=nogroup --clear-groups "             \
	"--pdeathsig=INT "

static bool server_answers(void)
{
	return system("$programs/pg_isready -q -h $directory") == 0;
}

static bool make_database(void)
{
	char programs[PATH_MAX];

	strcpy(programs, postgres);
	*strrchr(programs, '/') = '\0';
	return mkdtemp(directory) && setenv("directory", directory, 1) == 0 &&
	       setenv("programs", programs, 1) == 0 && system("chown nobody $directory") == 0 &&
	       system(AS_NOBODY "$programs/initdb -D $directory/data -U upm -A trust --no-locale "
				"--no-sync >$directory/log 2>&1") == 0;
}

static void become_server(void)
{
	execl("/bin/sh", "sh", "-c",
	      AS_NOBODY "$programs/postgres -D $directory/data -k $directory "
			"-c listen_addresses= -c fsync=off >>$directory/log 2>&1",
	      (char *)NULL);
	_exit(127);
}

static int start_server(void **state)
{
	(void)state;
	if (!real_path("/usr/lib/postgresql/*/bin/postgres", postgres)) {
		postgres[0] = '\0';
		return 0;
	}
	if (!make_database())
		return -1;
	server = fork();
	if (server == 0)
		become_server();
	for (int wait = 0; server > 0 && !server_answers() && wait < 600; wait++)
		usleep(50000);
	return server > 0 && server_answers() ? 0 : -1;
}

static int stop_server(void **state)
{
	int status = 0;

	(void)state;
	if (server > 0) {
		kill(server, SIGINT);
		waitpid(server, &status, 0);
	}
	if (getenv("directory"))
		status = system("rm -rf $directory") || status;
	return status;
}

#define skip_without_server()                                                                      \
	do {                                                                                       \
		if (!postgres[0])                                                                  \
			skip_because("no PostgreSQL here");                                        \
	} while (0)

/* ---- sessions */

/* A client that stays, and the backend that serves it. */
struct session {
	struct target client;
	int32_t backend;
};

static void session_start(struct session *session)
{
	char psql[PATH_MAX];
	const char *const command[] = {psql,	  "-X", "-q",  "-A",	   "-t", "-h",
				       directory, "-U", "upm", "postgres", NULL};

	strcpy(psql, postgres);
	strcpy(strrchr(psql, '/'), "/psql");
	target_start_command(&session->client, command);
	target_send(&session->client, "SELECT pg_backend_pid();");
	session->backend = atoi(target_answer(&session->client));
	assert_true(session->backend > 0);
}

/* The text of a query whose answer is its number. */
static void query_text(char *text, size_t size, int number)
{
	snprintf(text, size, "SELECT %d AS \"asked for\", 'caf\303\251' <> '' AS text;", number);
}

static void session_ask(struct session *session, int number)
{
	char text[USDT_TEXT_SIZE], answer[32];

	query_text(text, sizeof(text), number);
	snprintf(answer, sizeof(answer), "%d|t", number);
	target_expect(&session->client, text, answer);
}

/* ---- tests */

static void every_site_is_listed(void **state)
{
	struct upm_probe_set *set;
	size_t arguments;

	(void)state;
	skip_without_server();
	set = usdt_resolve_in(postgres, "*:*", 0);
	arguments = assert_lists_notes(set, postgres);
	print_message("# %zu call sites, %zu arguments\n", upm_probe_set_size(set), arguments);
	upm_probe_set_free(set);
}

/* Two sessions, of which one is observed. */
static void hits_equal_queries(void **state)
{
	static const char place[] = "postgresql:/^(query__(start|done)|transaction__start)$/";
	struct session observed, other;
	struct upm_attach_options options;
	struct upm_observer *observer;
	struct upm_probe_set *set;

	(void)state;
	skip_without_server();
	session_start(&observed);
	session_start(&other);
	set = usdt_resolve_in(postgres, place, observed.backend);
	assert_int_equal(upm_probe_set_size(set), 3);
	options = options_for(&observed.backend);
	session_ask(&observed, -1);
	assert_upm_ok(upm_count(set, &options, &observer));
	for (int i = 0; i < QUERIES; i++) {
		session_ask(&observed, i);
		session_ask(&other, i);
	}
	assert_upm_ok(upm_observer_stop(observer, NULL));
	session_ask(&observed, -2);
	assert_hits(observer, 3, QUERIES);
	upm_observer_free(observer);
	upm_probe_set_free(set);
	target_stop(&observed.client);
	target_stop(&other.client);
}

static void query_text_is_read(void **state)
{
	struct upm_object *object;
	struct upm_probe_set *set;
	struct session session;
	struct usdt_text text;
	struct upm_link *link;
	char wanted[USDT_TEXT_SIZE];

	(void)state;
	skip_without_server();
	session_start(&session);
	set = usdt_resolve_in(postgres, "postgresql:/^query__(start|done)$/", session.backend);
	link = texts_attach(set, session.backend, &object);
	for (int i = 0; i < QUERIES; i++)
		session_ask(&session, i);
	upm_link_free(link);
	session_ask(&session, QUERIES);
	for (int hit = 0; hit < 2 * QUERIES; hit++) {
		query_text(wanted, sizeof(wanted), hit / 2);
		assert_true(texts_next(object, &text));
		assert_int_equal(text.failures[0], 0);
		assert_int_equal(text.lengths[0], strlen(wanted) + 1);
		assert_string_equal(text.strings[0], wanted);
	}
	assert_false(texts_next(object, &text));
	upm_probe_set_free(set);
	upm_object_free(object);
	target_stop(&session.client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_site_is_listed),
		cmocka_unit_test(hits_equal_queries),
		cmocka_unit_test(query_text_is_read),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
