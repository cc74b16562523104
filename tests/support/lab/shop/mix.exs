defmodule Shop.MixProject do
  use Mix.Project

  def project do
    [
      app: :shop,
      version: "0.1.0",
      releases: [shop: [include_executables_for: [:unix]]]
    ]
  end

  def application do
    [mod: {Shop, []}, extra_applications: [:logger, :runtime_tools]]
  end
end
