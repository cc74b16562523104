"""Everything about Erlang: finding nodes, proving cookies, and the local node that shows them."""
