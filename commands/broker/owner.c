/* See owner.h. The kernel tells the owner of each of its sockets in /proc/net/tcp (proc(5)): the peer's is the one
 * whose local address is our remote one. */
#include "owner.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "0100007F:1F90", as the table has it: the address as the machine's number, the port as a person's. */
static char *entry_of(const struct sockaddr_in *address)
{
    return g_strdup_printf("%08X:%04X", address->sin_addr.s_addr, ntohs(address->sin_port));
}

static bool find_user(const char *local, const char *remote, guint *out)
{
    char line[512];
    bool found = false;
    FILE *table = fopen("/proc/net/tcp", "re");
    while (table && !found && fgets(line, sizeof line, table)) {
        char a[16], b[16];
        found = sscanf(line, "%*d: %15s %15s %*x %*s %*s %*s %u", a, b, out) == 3 && strcmp(a, local) == 0 &&
                strcmp(b, remote) == 0;
    }
    if (table)
        fclose(table);
    return found;
}

bool owner_is_ours(int fd)
{
    struct sockaddr_in ours = {0}, theirs = {0};
    socklen_t size = sizeof ours, other = sizeof theirs;
    guint user = 0;
    if (getsockname(fd, (struct sockaddr *) &ours, &size) != 0 ||
        getpeername(fd, (struct sockaddr *) &theirs, &other) != 0 || theirs.sin_family != AF_INET)
        return false;
    g_autofree char *local = entry_of(&theirs), *remote = entry_of(&ours);
    return find_user(local, remote, &user) && (user == 0 || user == (guint) geteuid());
}
