"""Who a person is to the host (contract 9)."""
