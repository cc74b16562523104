defmodule Shop do
  @moduledoc "A supervisor with one table and one worker, so that Observer has something to show."
  use Application

  @impl true
  def start(_type, _args) do
    children = [
      %{id: Shop.Stock, start: {Agent, :start_link, [&stock/0, [name: Shop.Stock]]}}
    ]

    Supervisor.start_link(children, strategy: :one_for_one, name: Shop.Supervisor)
  end

  defp stock do
    :ets.new(:shop_stock, [:named_table, :protected])
    :ets.insert(:shop_stock, for(n <- 1..100, do: {n, n * n}))
    %{opened: System.os_time(:second)}
  end
end
