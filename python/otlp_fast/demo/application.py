"""The demo's service: a bookshop, made with Flask and SQLite as such services are made.

Nothing in it knows of otlp-fast, and of OpenTelemetry only what a developer adds by hand to what the instrumentation
sees: an attribute with the search term, and a span with an event around the payment. Two things go wrong on purpose:
the sales report divides by zero, and an order number that is taken violates a constraint; both leave an exception event
in a span.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import flask
from opentelemetry import trace

_PAGE_LENGTH = 20


def create_application(database_file: Path) -> flask.Flask:
    """Make the Flask application. Call it when the instrumentation is in place."""
    application = flask.Flask("bookshop")
    connections = threading.local()
    tracer = trace.get_tracer("bookshop")

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
        return {"books": found}

    @application.post("/orders")
    def place_order() -> Any:
        order = flask.request.get_json()
        ((price,),) = query("SELECT price FROM book WHERE id = ?", order["book_id"])
        paid = price * order["copies"]
        with tracer.start_as_current_span("charge card", kind=trace.SpanKind.CLIENT) as span:
            span.set_attributes({"payment.amount": paid, "payment.currencies": ("EUR", "USD"), "payment.test": True})
            span.add_event("card accepted", {"payment.attempts": 1})
        executing = cursor()
        try:
            executing.execute(
                "INSERT INTO purchase VALUES (?, ?, ?, ?)", (order["number"], order["book_id"], order["copies"], paid)
            )
        except sqlite3.IntegrityError:
            return {"error": "this order number is taken"}, 409
        finally:
            connections.database.commit()
        return {"paid": paid}, 201

    @application.get("/reports/<int:year>")
    def report_sales(year: int) -> Any:
        ((sales,),) = query("SELECT count(*) FROM purchase WHERE number BETWEEN ? AND ?", -year, -1)
        return {"mean": year / sales}

    return application
