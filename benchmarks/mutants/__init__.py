"""How many small changes of the code the tests notice: ``changes`` makes them, ``coverage`` and ``trial`` try them."""
