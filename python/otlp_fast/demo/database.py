"""The bookshop's SQLite database: the same content every time."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

BOOK_COUNT = 300
GENRES = ("novel", "poetry", "science", "history", "travel")
AUTHORS = (
    "Ursula K. Le Guin",
    "Stanisław Lem",
    "Gabriel García Márquez",
    "村上春樹",
    "Jorge Luis Borges",
    "Toni Morrison",
    "Михаил Булгаков",
    "Italo Calvino",
    "نجيب محفوظ",
    "Selma Lagerlöf",
)
TAKEN_ORDER_NUMBER = 1

_SCHEMA = """
    CREATE TABLE book (
        id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, genre TEXT NOT NULL, price REAL NOT NULL
    );
    CREATE INDEX book_by_genre ON book (genre);
    CREATE INDEX book_by_author ON book (author);
    CREATE TABLE review (book_id INTEGER NOT NULL, stars INTEGER NOT NULL, text TEXT NOT NULL);
    CREATE INDEX review_by_book ON review (book_id);
    CREATE TABLE purchase (
        number INTEGER PRIMARY KEY, book_id INTEGER NOT NULL, copies INTEGER NOT NULL, paid REAL NOT NULL
    );
"""


def create_database(file: Path) -> None:
    """Make the database in a new file."""
    choose = random.Random("the stock of the bookshop")
    books = [
        (number, f"Book {number}", choose.choice(AUTHORS), choose.choice(GENRES), choose.randrange(500, 4000) / 100)
        for number in range(1, BOOK_COUNT + 1)
    ]
    reviews = [(choose.randint(1, BOOK_COUNT), choose.randint(1, 5), "Read it twice.") for _ in range(3 * BOOK_COUNT)]
    database = sqlite3.connect(file)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(_SCHEMA)
        database.executemany("INSERT INTO book VALUES (?, ?, ?, ?, ?)", books)
        database.executemany("INSERT INTO review VALUES (?, ?, ?)", reviews)
        database.execute("INSERT INTO purchase VALUES (?, 1, 1, 9.99)", (TAKEN_ORDER_NUMBER,))
        database.commit()
    finally:
        database.close()
