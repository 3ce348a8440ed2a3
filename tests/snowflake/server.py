#!/usr/bin/env python3
"""An emulator of Snowflake for tests: fakesnow (DuckDB) behind a socket, for odbc_driver.c.

What fakesnow lacks and the gold sink rests on is added: MERGE within a transaction, primary keys that are not enforced, errors with
their SQLSTATE, temporary tables in a schema, parameters of the session. What must never happen is an error: DDL while a transaction is
open, which would commit it in Snowflake, an array of 65,280 cells, which its driver would stage by DDL, and a MERGE in a session that leaves
the account's settings as they are.

    server.py PORT
"""

import contextlib
import datetime
import decimal
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import duckdb
import fakesnow.cursor
import fakesnow.transforms
import snowflake.connector.errors
import sqlglot
from fakesnow.instance import FakeSnow
from sqlglot import exp

STAGE = re.compile(r'"[A-Z0-9_]+"\.("(?:SF_STAGE|sf_stage)_(?:[^"]|"")+")')
DDL = re.compile(r"\s*(CREATE|ALTER|DROP|TRUNCATE)\b", re.IGNORECASE)
SET = re.compile(r"\s*ALTER SESSION SET (.*)", re.IGNORECASE)
PARAMETER = re.compile(r"(\w+) = ('(?:[^'\\]|''|\\.)*'|\w+)(?:, |$)")
MOST_CELLS = 65279

# What an account may have set, and how a session that merges must have set it.
NEEDED = {"TIMEZONE": "'UTC'", "DATE_INPUT_FORMAT": "'AUTO'", "TIMESTAMP_INPUT_FORMAT": "'AUTO'", "QUOTED_IDENTIFIERS_IGNORE_CASE": "FALSE",
          "ERROR_ON_NONDETERMINISTIC_MERGE": "TRUE", "TRANSACTION_ABORT_ON_ERROR": "FALSE", "ABORT_DETACHED_QUERY": "TRUE", "LOCK_TIMEOUT": "60"}
TAG = re.compile(r"'streamforge .+/.+'")

Cursor = fakesnow.cursor.FakeSnowflakeCursor
fakesnow.transforms.merge = lambda expression: [expression]  # DuckDB has a MERGE of its own, which is one statement
transform = Cursor._transform
execute = Cursor._execute


class Refused(Exception):
    def __init__(self, state, code, message):
        super().__init__(message)
        self.answer = {"state": state, "code": code, "message": message}


def without_keys(self, expression, params):
    if isinstance(expression, exp.Create):
        for key in list(expression.find_all(exp.PrimaryKey)):
            key.pop()
    for update in expression.find_all(exp.Update) if isinstance(expression, exp.Merge) else ():
        for assignment in update.expressions:
            assignment.this.set("table", None)
    return transform(self, expression, params)


def merge_whole(self, transformed, params=None):
    if not isinstance(transformed, exp.Merge):
        return execute(self, transformed, params)
    sql = transformed.sql("duckdb") + " RETURNING 1"
    changed = self._duck_conn.execute(sql, params).fetchall()
    self._conn.merged.append(sql)
    return execute(self, sqlglot.parse_one(f'SELECT {len(changed)} AS "number of rows changed"'), None)


Cursor._transform = without_keys
Cursor._execute = merge_whole

BY_DUCKDB = ((duckdb.ConversionException, "22018", 100038), (duckdb.OutOfRangeException, "22003", 100039),
             (duckdb.ConstraintException, "22000", 100072), (duckdb.CatalogException, "42S02", 2003),
             (duckdb.Error, "HY000", 100132))


def refusal(error):
    for kind, state, code in BY_DUCKDB:
        cause = error if isinstance(error, kind) else error.__cause__
        if isinstance(cause, kind):
            return Refused(state, code, str(cause).split("\n", maxsplit=1)[0])
    if isinstance(error, snowflake.connector.errors.Error):
        return Refused(error.sqlstate or "HY000", error.errno or 0, str(error.msg).split("\n", maxsplit=1)[0])
    return Refused("HY000", 1003, f"{type(error).__name__}: {error}")


def text(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        return value.hex().upper()
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, decimal.Decimal) else str(value)


class Session:
    def __init__(self, warehouse):
        self.connection = warehouse.connect(database="SALES", schema="PUBLIC")
        self.cursor = self.connection.cursor()
        self.duck = self.connection._duck_conn
        self.connection.merged = []  # in the open transaction
        self.parameters = {}
        self.open = False

    def end(self, how):
        if self.open:
            self.duck.execute(how)
        self.open = False
        self.connection.merged.clear()

    def undo_statement(self):
        """A statement that fails undoes only itself in Snowflake, and the whole transaction in DuckDB: the others again."""
        if not self.open:
            return
        again = list(self.connection.merged)
        self.duck.execute("ROLLBACK")
        self.duck.execute("BEGIN")
        for sql in again:
            self.duck.execute(sql)

    def set(self, assignments):
        if PARAMETER.sub("", assignments):
            raise Refused("42000", 1003, f"SQL compilation error: syntax error in '{assignments}'")
        for name, value in PARAMETER.findall(assignments):
            if name not in {*NEEDED, "QUERY_TAG"}:
                raise Refused("22023", 1006, f"invalid parameter '{name}'")
            self.parameters[name] = value
        return {"changed": 0, "columns": 0, "rows": []}

    def check_merge(self):
        left = {name for name, value in NEEDED.items() if self.parameters.get(name) != value}
        if left or not TAG.fullmatch(self.parameters.get("QUERY_TAG", "")):
            raise Refused("25000", 90997, f"a MERGE in a session without {', '.join(sorted(left)) or 'QUERY_TAG'}")

    def run(self, sql, rows, autocommit):
        sql = STAGE.sub(r"\1", sql)
        if SET.match(sql):
            return self.set(SET.match(sql)[1])
        if sql.startswith("MERGE"):
            self.check_merge()
        if DDL.match(sql):
            if self.open:
                raise Refused("25000", 90999, "DDL in a transaction, which it would commit: " + sql[:80])
        elif not autocommit and not self.open:
            self.duck.execute("BEGIN")
            self.open = True
        if rows is not None:
            return self.insert(sql, rows)
        self.cursor.execute(sql)
        found = self.cursor.fetchall()
        names = [column[0] for column in self.cursor.description or []]
        if names and names[0].startswith("number of"):
            return {"changed": int(found[0][0]), "columns": 0, "rows": []}
        return {"changed": 0, "columns": len(names), "rows": [[text(value) for value in row] for row in found]}

    def insert(self, sql, rows):
        if len(rows) * len(rows[0]) > MOST_CELLS:
            raise Refused("25000", 90998, "an array that the driver would stage")
        head, one = re.fullmatch(r"(INSERT INTO .* VALUES) (\(.*\))", sql).groups()
        for i in range(0, len(rows), 100):
            part = rows[i : i + 100]
            self.duck.execute(f"{head} {', '.join([one] * len(part))}", [value for row in part for value in row])
        return {"changed": len(rows), "columns": 0, "rows": []}


class Emulator(BaseHTTPRequestHandler):
    warehouse = FakeSnow()
    sessions = {}
    lock = threading.Lock()  # one statement at a time: DuckDB's conflicts are not Snowflake's

    def answer(self, question):
        if question["do"] == "login":
            if question["password"] == "wrong":
                raise Refused("28000", 390100, "Incorrect username or password was specified.")
            number = len(self.sessions) + 1
            self.sessions[number] = Session(self.warehouse)
            return {"session": number}
        session = self.sessions[question["session"]]
        if question["do"] == "run":
            try:
                return session.run(question["sql"], question.get("rows"), question["autocommit"])
            except Refused:
                raise
            except Exception as error:
                session.undo_statement()
                raise refusal(error) from error
        session.end("COMMIT" if question["do"] == "commit" else "ROLLBACK")
        return {}

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            try:
                answer = self.answer(question)
            except Refused as refused:
                answer = {"error": refused.answer}
                if "sql" in question:
                    print(question["sql"][:300], refused.answer, flush=True)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    protocol_version = "HTTP/1.1"

    def handle(self):
        with contextlib.suppress(ConnectionError):  # a test that was killed
            super().handle()

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Emulator).serve_forever()
