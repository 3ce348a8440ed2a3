/* See conn.h. */
#include "conn.h"

Out reply_body(const Reply *reply)
{
    return (Out){.bytes = g_byte_array_new(), .flexible = reply->flexible};
}

void reply_send(const Reply *reply, Out *body)
{
    g_autoptr(GByteArray) bytes = g_steal_pointer(&body->bytes);
    Conn *conn = reply->conn;
    Out out = {.bytes = conn->out, .flexible = reply->tagged};
    guint at = conn->out->len;
    out_i32(&out, 0);
    out_i32(&out, reply->correlation);
    out_tags(&out);
    out_raw(&out, bytes->data, bytes->len);
    out_patch_i32(&out, at, (gint32) (conn->out->len - at - 4));
    conn->held = false;
}
