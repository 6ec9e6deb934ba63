"""The demo's service: a bookshop, made with Flask and SQLite as such services are made.

Nothing in it knows of otlp-fast, and of OpenTelemetry only what a developer adds by hand to what the instrumentation
sees: an attribute with the search term, a span with an event around the payment, and metrics of the business. It logs
by the standard library, a line per request and more about orders. Two things go wrong on purpose: the sales report
divides by zero, and an order number that is taken violates a constraint; both leave an exception event in a span, and
one a log record with a stack trace.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import flask
from opentelemetry import metrics, trace

NAME = "bookshop"
"""The service's name, and that of its one logger: Flask's, and so that of the exceptions which Flask logs."""

_PAGE_LENGTH = 20


def create_application(database_file: Path) -> flask.Flask:
    """Make the Flask application. Call it when the instrumentation is in place."""
    application = flask.Flask(NAME)
    log = application.logger
    connections = threading.local()
    tracer = trace.get_tracer(NAME)
    meter = metrics.get_meter(NAME)
    books_shown = meter.create_counter("bookshop.books.shown", unit="{book}", description="Books that were looked at")
    books_sold = meter.create_counter("bookshop.books.sold", unit="{book}", description="Books that were sold")
    order_value = meter.create_histogram("bookshop.order.value", unit="EUR", description="What orders were paid with")
    search_hits = meter.create_histogram("bookshop.search.hits", unit="{book}", description="Books that searches found")
    meter.create_observable_gauge(
        "bookshop.threads", [lambda options: [metrics.Observation(threading.active_count())]], unit="{thread}"
    )

    def cursor() -> sqlite3.Cursor:
        """A cursor of this thread's connection."""
        if not hasattr(connections, "database"):
            connections.database = sqlite3.connect(database_file)
            # The demo measures spans, not the disk: a commit need not wait for it.
            connections.database.execute("PRAGMA synchronous = OFF")
        new_cursor: sqlite3.Cursor = connections.database.cursor()
        return new_cursor

    def query(statement: str, *parameters: Any) -> list[Any]:
        """Give all rows of a SELECT."""
        executing = cursor()
        executing.execute(statement, parameters)
        return executing.fetchall()

    @application.after_request
    def log_request(response: flask.Response) -> flask.Response:
        request = flask.request
        attributes = {"http.request.method": request.method, "http.response.status_code": response.status_code}
        if request.url_rule is not None:
            attributes["http.route"] = request.url_rule.rule
        log.info("%s %s answered with %d", request.method, request.full_path, response.status_code, extra=attributes)
        return response

    @application.get("/books")
    def list_books() -> Any:
        genre = flask.request.args["genre"]
        page = flask.request.args.get("page", 0, type=int)
        (total,) = query("SELECT count(*) FROM book WHERE genre = ?", genre)[0]
        books = query(
            "SELECT id, title, author, price FROM book WHERE genre = ? ORDER BY title LIMIT ? OFFSET ?",
            genre,
            _PAGE_LENGTH,
            page * _PAGE_LENGTH,
        )
        return {"total": total, "books": books}

    @application.get("/books/<int:book_id>")
    def show_book(book_id: int) -> Any:
        books = query("SELECT title, author, genre, price FROM book WHERE id = ?", book_id)
        if not books:
            flask.abort(404)
        books_shown.add(1, {"book.author": books[0][1], "book.genre": books[0][2]})
        reviews = query("SELECT stars, text FROM review WHERE book_id = ?", book_id)
        return {"book": books[0], "reviews": reviews}

    @application.get("/authors/<name>")
    def show_author(name: str) -> Any:
        books = query("SELECT id, title FROM book WHERE author = ? ORDER BY title", name)
        stars = query("SELECT avg(stars) FROM review JOIN book ON id = book_id WHERE author = ?", name)
        return {"books": books, "stars": stars[0][0]}

    @application.get("/search/<term>")
    def search(term: str) -> Any:
        found = query("SELECT id, title FROM book WHERE title LIKE ? OR author LIKE ?", f"%{term}%", f"%{term}%")
        span = trace.get_current_span()
        span.set_attributes({"search.term": term, "search.hits": len(found), "search.empty": not found})
        search_hits.record(len(found), {"search.empty": not found})
        return {"books": found}

    @application.post("/orders")
    def place_order() -> Any:
        order = flask.request.get_json()
        ((price, genre),) = query("SELECT price, genre FROM book WHERE id = ?", order["book_id"])
        copies = order["copies"]
        paid = price * copies
        with tracer.start_as_current_span("charge card", kind=trace.SpanKind.CLIENT) as span:
            span.set_attributes({"payment.amount": paid, "payment.currencies": ("EUR", "USD"), "payment.test": True})
            span.add_event("card accepted", {"payment.attempts": 1})
        executing = cursor()
        try:
            executing.execute(
                "INSERT INTO purchase VALUES (?, ?, ?, ?)", (order["number"], order["book_id"], copies, paid)
            )
        except sqlite3.IntegrityError:
            log.warning("order number %d is taken", order["number"], extra={"order.number": order["number"]})
            return {"error": "this order number is taken"}, 409
        finally:
            connections.database.commit()
        books_sold.add(copies, {"book.genre": genre})
        order_value.record(paid, {"book.genre": genre})
        log.info("order of %d copies", copies, extra={"order.number": order["number"], "order.value": paid})
        return {"paid": paid}, 201

    @application.get("/reports/<int:year>")
    def report_sales(year: int) -> Any:
        ((sales,),) = query("SELECT count(*) FROM purchase WHERE number BETWEEN ? AND ?", -year, -1)
        return {"mean": year / sales}

    return application
