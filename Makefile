# Short names for the commands of the README. Everything works without make.
.PHONY: demo test lint types format ci clean

demo:
	python3 manage.py demo

test:
	python3 manage.py test

lint:
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/lint-imports

types:
	.venv/bin/python -m mypy

format:
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .

ci:
	.ci/run

clean:
	rm -rf .venv var
