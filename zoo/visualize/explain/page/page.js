// Choose a map and blend it with its image, for one image or for all.
"use strict";

document.documentElement.classList.add("js");

const images = [...document.querySelectorAll(".explained")].map((element) => {
  const map = element.querySelector(".stage .map");
  const said = element.querySelector(".said");
  const slider = element.querySelector(".blend");
  const tiles = [...element.querySelectorAll(".tile")];

  const show = () => {
    const tile = tiles.find((one) => one.querySelector("input").checked);
    map.setAttribute("href", "#" + tile.querySelector("[id]").id);
    said.replaceChildren(...[...tile.querySelector(".told").children].map((part) => part.cloneNode(true)));
  };
  const blend = (value) => {
    slider.value = value;
    element.style.setProperty("--blend", value / 100);
  };
  const choose = (tile) => {
    tile.querySelector("input").checked = true;
    show();
  };

  element.addEventListener("change", (event) => event.target.type === "radio" && show());
  slider.addEventListener("input", () => blend(slider.value));
  // A browser that comes back to the page remembers the slider.
  blend(slider.value);
  show();
  return { tiles, choose, blend };
});

const controls = document.querySelector(".controls");
if (controls) {
  controls.hidden = false;
  // What is above sticks to the top of all that comes after it.
  document.querySelector("header").after(controls);
  controls.querySelector("select").addEventListener("change", (event) => {
    const method = event.target.value;
    for (const { tiles, choose } of images) {
      const tile = tiles.find((one) =>
        method ? one.querySelector("input").dataset.method === method : one.classList.contains("best"),
      );
      if (tile) choose(tile);
    }
  });
  controls.querySelector("input").addEventListener("input", (event) => {
    for (const { blend } of images) blend(event.target.value);
  });
}
