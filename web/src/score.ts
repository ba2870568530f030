/** Pages with charts, which draw themselves from the numbers that the page carries. */
import "./score.css";
import "./shared/city-chart";
