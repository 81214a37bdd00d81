"""The service: the reader over HTTP, in processes of its own (extra ``serve``)."""
